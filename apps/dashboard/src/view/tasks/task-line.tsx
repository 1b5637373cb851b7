import { Link } from '@tanstack/react-router';
import type { Task } from 'agent-relay-protocol';
import { Ago } from '../ago.tsx';
import { progressLine } from '../json-view.tsx';
import { Severity, TaskStatusMark } from './task-looks.tsx';

/** One line where there is room, two where there is not. */
export function TaskLine({ task, isSelected }: { readonly task: Task; readonly isSelected: boolean }) {
  return (
    <Link
      to="/tasks/$taskId"
      params={{ taskId: String(task.id) }}
      search
      aria-current={isSelected}
      data-task-id={task.id}
      className={`grid gap-x-4 gap-y-0.5 border-line border-b px-4 py-2 hover:bg-raised @4xl:grid-cols-[8rem_minmax(0,1fr)_minmax(0,18rem)_6rem] @4xl:items-center ${isSelected ? 'bg-raised' : ''}`}
    >
      <span className="hidden text-xs @4xl:block">
        <TaskStatusMark status={task.status} />
      </span>
      <span className="flex min-w-0 items-center gap-2">
        <Severity severity={task.severity} />
        <span className="min-w-0 truncate font-medium">{task.title}</span>
        {task.occurrenceCount > 1 ? (
          <span className="shrink-0 text-soft text-xs" title={`Reported ${task.occurrenceCount} times`}>
            ×{task.occurrenceCount}
          </span>
        ) : null}
        {task.progress === null ? null : (
          <span className="hidden min-w-0 shrink-[4] truncate text-soft text-xs @5xl:inline">{progressLine(task.progress)}</span>
        )}
        <span className="grow @4xl:hidden" />
        <span className="shrink-0 text-soft text-xs @4xl:hidden">
          <Ago at={task.lastSeenAt} />
        </span>
      </span>
      <span className="min-w-0 truncate text-soft text-xs">
        <span className="mr-2 @4xl:hidden">
          <TaskStatusMark status={task.status} />
        </span>
        {task.source} → {task.target.replace(/^id:/u, '')}
        {task.claimedBy === null ? null : <span className="text-ink"> · {task.claimedBy}</span>}
      </span>
      <span className="hidden text-right text-soft text-xs @4xl:block">
        <Ago at={task.lastSeenAt} />
      </span>
    </Link>
  );
}
