import { Link } from '@tanstack/react-router';
import type { Task } from 'agent-relay-protocol';
import { useList } from '../../live/use-list.ts';
import { useLive } from '../../live/use-live.ts';
import { taskCountsView, tasksView } from '../../relay/tasks.ts';
import { Ago } from '../ago.tsx';
import { ListPane } from '../list-pane.tsx';
import { OlderRows } from '../older-rows.tsx';
import { Lease } from './lease.tsx';
import type { TaskSearch } from './task-filter.ts';
import { Severity, TaskStatusMark } from './task-looks.tsx';

const columns = ['open', 'claimed', 'in_progress', 'blocked'] as const;
type Column = (typeof columns)[number];

/** What is active, by how it stands. */
export function TaskBoard({ search, taskId }: { readonly search: TaskSearch; readonly taskId: number | null }) {
  const { status: _status, view: _view, ...narrowed } = search;
  const counts = useLive(taskCountsView(narrowed)).data;
  return (
    <div data-scrolls className="grid min-h-0 grow auto-cols-[minmax(15rem,1fr)] grid-flow-col gap-3 overflow-x-auto p-3">
      {columns.map((status) => (
        <BoardColumn key={status} status={status} count={counts?.[status]} narrowed={narrowed} taskId={taskId} />
      ))}
    </div>
  );
}

interface BoardColumnProps {
  readonly status: Column;
  readonly count: number | undefined;
  readonly narrowed: Omit<TaskSearch, 'status' | 'view'>;
  readonly taskId: number | null;
}

function BoardColumn({ status, count, narrowed, taskId }: BoardColumnProps) {
  const tasks = useList(tasksView({ ...narrowed, status }));
  return (
    <section aria-label={status.replace('_', ' ')} className="flex min-h-0 min-w-0 flex-col rounded-xl border border-line bg-panel">
      <h3 className="flex items-center justify-between px-3 py-2 text-xs">
        <TaskStatusMark status={status} />
        <span className="text-soft tabular-nums">{count}</span>
      </h3>
      <ListPane
        list={tasks}
        label={`Tasks that are ${status.replace('_', ' ')}`}
        keyOf={({ id }) => id}
        rowHeight={88}
        selected={taskId}
        row={(task) => <Card task={task} isSelected={task.id === taskId} />}
        refused="This token may not see tasks."
        empty={<p className="px-3 pb-3 text-soft text-xs">None.</p>}
        footer={<OlderRows list={tasks} />}
      />
    </section>
  );
}

const Card = ({ task, isSelected }: { readonly task: Task; readonly isSelected: boolean }) => (
  <Link
    to="/tasks/$taskId"
    params={{ taskId: String(task.id) }}
    search
    aria-current={isSelected}
    data-task-id={task.id}
    className={`mx-2 mb-2 grid grid-cols-[minmax(0,1fr)] gap-1 rounded-lg border border-line px-2.5 py-2 text-xs hover:bg-raised ${isSelected ? 'bg-raised' : 'bg-ground'}`}
  >
    <span className="line-clamp-2 font-medium text-sm [overflow-wrap:anywhere]">{task.title}</span>
    <span className="flex flex-wrap items-center gap-x-2 gap-y-0.5 text-soft">
      <Severity severity={task.severity} />
      {task.claimedBy === null ? <span>→ {task.target.replace(/^id:/u, '')}</span> : <span className="text-ink">{task.claimedBy}</span>}
      <Ago at={task.lastSeenAt} />
    </span>
    {task.claimId === null || task.status === 'open' ? null : <Lease claimId={task.claimId} />}
  </Link>
);
