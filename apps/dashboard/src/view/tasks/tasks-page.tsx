import { useNavigate } from '@tanstack/react-router';
import { ACTIVE_LIMIT, useOlderTasks, useTasks } from '../../relay/use-tasks.ts';
import { Problem } from '../problem.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { VirtualList } from '../virtual-list.tsx';
import { TaskDetail } from './task-detail.tsx';
import { filterTasks, sourcesOf, statusChoices, statusWords, type TaskSearch } from './task-filter.ts';
import { TaskRow } from './task-row.tsx';

/** Work from outside: what is active, what has ended, and one task beside it. */
export function TasksPage({ search, taskId }: { readonly search: TaskSearch; readonly taskId: number | null }) {
  const tasks = useTasks();
  const shown = filterTasks(tasks.data ?? [], search);
  const list = (
    <>
      <Problem error={tasks.error} onRetry={() => void tasks.refetch()} />
      <VirtualList
        label="Tasks"
        items={shown}
        keyOf={({ id }) => id}
        rowHeight={56}
        selected={taskId}
        row={(task) => <TaskRow task={task} isSelected={task.id === taskId} />}
        empty={tasks.isSuccess ? <NoTasks hasAny={tasks.data.length > 0} /> : null}
        footer={search.status === undefined ? <ManyActive count={shown.length} /> : <Older />}
      />
    </>
  );
  return (
    <SplitPage
      title="Tasks"
      hint="Work that systems outside reported"
      tools={<TaskTools search={search} sources={sourcesOf(tasks.data ?? [])} count={shown.length} />}
      list={list}
      detail={taskId === null ? null : <TaskDetail key={taskId} id={taskId} />}
    />
  );
}

interface TaskToolsProps {
  readonly search: TaskSearch;
  readonly sources: readonly string[];
  readonly count: number;
}

function TaskTools({ search, sources, count }: TaskToolsProps) {
  const navigate = useNavigate();
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
      <select
        aria-label="Status"
        className="field text-xs"
        value={search.status ?? 'active'}
        onChange={({ target: { value } }) => set('status', value === 'active' ? '' : value)}
      >
        {statusChoices.map((choice) => (
          <option key={choice} value={choice}>
            {statusWords[choice]}
          </option>
        ))}
      </select>
      <select
        aria-label="Source"
        className="field max-w-40 text-xs"
        value={search.source ?? ''}
        onChange={({ target: { value } }) => set('source', value)}
      >
        <option value="">Every source</option>
        {[...new Set([...sources, ...(search.source === undefined ? [] : [search.source])])].map((source) => (
          <option key={source} value={source}>
            {source}
          </option>
        ))}
      </select>
    </>
  );
}

function NoTasks({ hasAny }: { readonly hasAny: boolean }) {
  if (hasAny) return <Empty title="No task fits the filter." />;
  return (
    <Empty title="No tasks yet.">
      <p>
        A system outside creates them: name it in <code className="font-mono text-xs">AGENT_RELAY_INTEGRATIONS</code> and have it report to{' '}
        <code className="font-mono text-xs">POST /api/integrations/events</code>. Each becomes one message that one agent claims.
      </p>
    </Empty>
  );
}

function ManyActive({ count }: { readonly count: number }) {
  return count < ACTIVE_LIMIT ? null : (
    <p className="p-4 text-center text-soft text-xs">The newest active tasks are shown; narrow them by source.</p>
  );
}

function Older() {
  const older = useOlderTasks();
  if (older.data?.isEnd) return <p className="p-4 text-center text-soft text-xs">That is all the relay keeps.</p>;
  return (
    <div className="grid justify-items-center gap-2 p-4 text-xs">
      <Problem error={older.error} />
      <button type="button" className="button text-xs" disabled={older.isPending} onClick={() => older.mutate()}>
        {older.isPending ? 'Reading…' : 'Show older tasks'}
      </button>
    </div>
  );
}
