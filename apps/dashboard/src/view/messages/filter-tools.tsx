import { Link, useNavigate } from '@tanstack/react-router';
import { useList } from '../../live/use-list.ts';
import { agentsView } from '../../relay/agents.ts';
import { handedStates, type MessageFilter } from '../../relay/message-filter.ts';
import { Choices } from '../form/choices.tsx';

/** What narrows the messages; the address of the page keeps it. */
export function FilterTools({ search }: { readonly search: MessageFilter }) {
  const navigate = useNavigate();
  const agents = useList(agentsView).all;
  const channels = [...new Set(agents.flatMap((agent) => agent.channels ?? []))].sort();
  const set = (change: { readonly [Name in keyof MessageFilter]?: MessageFilter[Name] | undefined }) =>
    void navigate({ to: '/messages', search: (before) => dropEmpty({ ...before, ...change }), replace: true });
  return (
    <header className="border-line border-b bg-panel">
      <div className="measure flex flex-wrap items-center gap-2 px-4 py-1.5 text-xs">
        <h2 className="font-semibold text-sm">Messages</h2>
        <Link to="/graph" className="text-accent hover:underline">
          Who talks to whom
        </Link>
        <span className="grow" />
        <input
          aria-label="Only from"
          className="field w-32 text-xs"
          placeholder="From anybody"
          list="senders"
          value={search.from ?? ''}
          onChange={({ target }) => set({ from: target.value || undefined })}
        />
        <Known id="senders" words={agents.map(({ id }) => id)} />
        {search.to === undefined ? null : <span>to {search.to.replace(/^id:/u, '')}</span>}
        <input
          aria-label="Only in channel"
          className="field w-32 text-xs"
          placeholder="Every channel"
          list="channels"
          value={search.channel ?? ''}
          onChange={({ target }) => set({ channel: target.value.replace(/^#/u, '') || undefined })}
        />
        <Known id="channels" words={channels} />
        <Choices
          aria-label="Only what is"
          className="field text-xs"
          value={search.deadLetter ? DEAD : (search.state ?? '')}
          onChange={({ target: { value } }) =>
            set({ state: handedStates.find((state) => state === value), deadLetter: value === DEAD ? true : undefined })
          }
          choices={[
            { id: '', word: 'Any receipt' },
            { id: DEAD, word: 'did not arrive' },
            ...handedStates.map((state) => ({ id: state, word: state })),
          ]}
        />
        <OnlyWork isOn={search.work === true} onChoose={(isOn) => set({ work: isOn ? true : undefined })} />
        {Object.keys(search).length === 0 ? null : (
          <Link to="/messages" className="text-accent hover:underline">
            Show all
          </Link>
        )}
      </div>
    </header>
  );
}

/** What is offered to who types. */
const Known = ({ id, words }: { readonly id: string; readonly words: readonly string[] }) => (
  <datalist id={id}>
    {words.map((word) => (
      <option key={word} value={word} />
    ))}
  </datalist>
);

/** Beside the states: mail of people that nobody has looked at since. */
const DEAD = 'dead';

const OnlyWork = ({ isOn, onChoose }: { readonly isOn: boolean; readonly onChoose: (isOn: boolean) => void }) => (
  <label className="flex items-center gap-1.5">
    <input type="checkbox" checked={isOn} onChange={({ target }) => onChoose(target.checked)} />
    Only work
  </label>
);

const dropEmpty = (search: object): MessageFilter => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
