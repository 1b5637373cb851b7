import { useNavigate } from '@tanstack/react-router';
import { useList } from '../../live/use-list.ts';
import { agentsView } from '../../relay/agents.ts';
import { readUsageFilter, type UsageFilter, type UsageMeasure, usageGroups, usageMeasures, usageSpans } from '../../relay/usage-filter.ts';
import { Choices } from '../form/choices.tsx';
import { Narrow } from '../form/narrow.tsx';
import { groupWords, measureWords } from './usage-words.ts';

/** What is shown of the usage; the address of the page keeps it. */
export function UsageTools({ filter, show }: { readonly filter: UsageFilter; readonly show: UsageMeasure }) {
  const navigate = useNavigate();
  const agents = useList(agentsView).all;
  const set = (name: keyof UsageFilter, value: string | number) =>
    void navigate({ to: '/usage', search: (before) => readUsageFilter({ ...before, [name]: value }), replace: true });
  const field = 'field min-w-0 text-xs max-sm:grow';
  return (
    <header className="border-line border-b bg-panel">
      <div className="measure flex flex-wrap items-center gap-2 px-4 py-1.5 text-xs">
        <h2 className="font-semibold text-sm">Usage</h2>
        <span className="grow max-sm:hidden" />
        <Choices
          aria-label="What"
          className={field}
          value={show}
          onChange={({ target }) => set('show', target.value)}
          choices={usageMeasures.map((id) => ({ id, word: measureWords[id] }))}
        />
        <Choices
          aria-label="Broken down"
          className={field}
          value={filter.by ?? 'agent'}
          onChange={({ target }) => set('by', target.value)}
          choices={usageGroups.map((id) => ({ id, word: groupWords[id] }))}
        />
        <Choices
          aria-label="How far back"
          className={field}
          value={String(filter.days ?? 30)}
          onChange={({ target }) => set('days', Number(target.value))}
          choices={usageSpans.map((days) => ({ id: String(days), word: days === 365 ? 'a year' : `${days} days` }))}
        />
        <Narrow label="Agent" list={agents.map(({ id }) => id)} value={filter.agent} onSet={(value) => set('agent', value)} />
      </div>
    </header>
  );
}
