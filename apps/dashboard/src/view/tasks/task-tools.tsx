import { useNavigate } from '@tanstack/react-router';
import { useList } from '../../live/use-list.ts';
import { agentsView } from '../../relay/agents.ts';
import { addressesIn } from '../../relay/reach.ts';
import { sourcesView } from '../../relay/tasks.ts';
import { Choices } from '../form/choices.tsx';
import { Narrow } from '../form/narrow.tsx';
import { statusChoices, statusWords, type TaskSearch } from './task-filter.ts';

interface TaskToolsProps {
  readonly search: TaskSearch;
  /** Undefined until it is known. */
  readonly count: number | undefined;
}

/** What narrows the list of tasks; the address of the page keeps it. */
export function TaskTools({ search, count }: TaskToolsProps) {
  const navigate = useNavigate();
  const sources = useList(sourcesView).all.map(({ name }) => name);
  const agents = useList(agentsView).all;
  const known = [...new Set([...sources, ...(search.source === undefined ? [] : [search.source])])];
  const set = (name: keyof TaskSearch, value: string) =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, [name]: value === '' ? undefined : value }), replace: true });
  return (
    <>
      <span className="text-soft text-xs" role="status">
        {count}
      </span>
      <span className="grow" />
      <input
        type="search"
        aria-label="Find tasks"
        className="field w-40 text-xs"
        placeholder="Find"
        defaultValue={search.find ?? ''}
        onChange={(event) => set('find', event.target.value)}
      />
      <Choices
        aria-label="View"
        className="field text-xs"
        value={search.view ?? 'list'}
        onChange={({ target: { value } }) => set('view', value === 'board' ? value : '')}
        choices={[
          { id: 'list', word: 'List' },
          { id: 'board', word: 'Board' },
        ]}
      />
      {search.view === 'board' ? null : (
        <Choices
          aria-label="Status"
          className="field text-xs"
          value={search.status ?? 'active'}
          onChange={({ target: { value } }) => set('status', value === 'active' ? '' : value)}
          choices={statusChoices.map((choice) => ({ id: choice, word: statusWords[choice] }))}
        />
      )}
      <Narrow label="Target" all="to anybody" list={addressesIn(agents)} value={search.target} onSet={(value) => set('target', value)} />
      <Choices
        aria-label="Source"
        className="field max-w-40 text-xs"
        value={search.source ?? ''}
        onChange={({ target: { value } }) => set('source', value)}
        choices={[{ id: '', word: 'Every source' }, ...known.map((source) => ({ id: source, word: source }))]}
      />
    </>
  );
}
