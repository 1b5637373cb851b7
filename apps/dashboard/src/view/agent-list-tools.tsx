import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { type AgentsShown, groupings } from '../relay/agents-shown.ts';
import { Choices } from './form/choices.tsx';

/** With fewer there is nothing to group. */
export const GROUP_FROM = 4;
/** With fewer there is nothing to look for. */
const FIND_FROM = 12;

const words = { '': 'Not grouped', state: 'By state', machine: 'By machine' } as const;

interface AgentListToolsProps {
  readonly count: number;
  readonly shown: AgentsShown;
}

/** What narrows and groups the list of agents; the address of the page keeps it. */
export function AgentListTools({ count, shown: { agents = '', ...shown } }: AgentListToolsProps) {
  const by = shown.by ?? '';
  const navigate = useNavigate();
  const set = (name: keyof AgentsShown, value: string) =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, [name]: value === '' ? undefined : value }), replace: true });
  const find = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Whoever writes is ahead of the address.
    if (find.current && find.current !== document.activeElement) find.current.value = agents;
  }, [agents]);
  return (
    <div className="mx-3 mb-2 flex gap-2 empty:hidden">
      {count < FIND_FROM && agents === '' ? null : (
        <input
          ref={find}
          type="search"
          aria-label="Find agents"
          className="field min-w-0 grow basis-0 text-xs"
          placeholder="Find"
          defaultValue={agents}
          onChange={({ target }) => set('agents', target.value)}
        />
      )}
      {count < GROUP_FROM && by === '' ? null : (
        <Choices
          aria-label="Group agents"
          className="field min-w-0 grow basis-0 text-xs"
          value={by}
          onChange={({ target }) => set('by', target.value)}
          choices={['' as const, ...groupings].map((id) => ({ id, word: words[id] }))}
        />
      )}
    </div>
  );
}
