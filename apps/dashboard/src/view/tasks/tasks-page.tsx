import { useList } from '../../live/use-list.ts';
import { useLive } from '../../live/use-live.ts';
import { taskCountsView, tasksView, totalOf } from '../../relay/tasks.ts';
import { ListPane } from '../list-pane.tsx';
import { OlderRows } from '../older-rows.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { TaskBoard } from './task-board.tsx';
import { TaskDetail } from './task-detail.tsx';
import type { TaskSearch } from './task-filter.ts';
import { TaskLine } from './task-line.tsx';
import { TaskTools } from './task-tools.tsx';

/** Work from outside: what is active, what has ended, and one task beside it. */
export function TasksPage({ search, taskId }: { readonly search: TaskSearch; readonly taskId: number | null }) {
  const tasks = useList(tasksView(search));
  const counts = useLive(taskCountsView(search)).data;
  const isNarrowed = search.status !== undefined || search.source !== undefined || search.target !== undefined || search.find !== undefined;
  const isBoard = search.view === 'board';
  const list = isBoard ? (
    <TaskBoard search={search} taskId={taskId} />
  ) : (
    <ListPane
      list={tasks}
      label="Tasks"
      keyOf={({ id }) => id}
      rowHeight={56}
      selected={taskId}
      row={(task) => <TaskLine task={task} isSelected={task.id === taskId} />}
      refused="This token may not see tasks."
      empty={isNarrowed ? <Empty title="No task fits the filter." /> : <NoTasks />}
      footer={<OlderRows list={tasks} end={isNarrowed ? null : 'Those are all that are active.'} />}
    />
  );
  return (
    <SplitPage
      title="Tasks"
      hint="Work that systems outside reported"
      tools={<TaskTools search={search} count={counts && totalOf(counts)} />}
      list={list}
      detail={taskId === null ? null : <TaskDetail key={taskId} id={taskId} />}
    />
  );
}

function NoTasks() {
  return (
    <Empty title="No task is active.">
      <p>
        What has ended is under “All”. A system outside creates tasks: name it in{' '}
        <code className="font-mono text-xs">AGENT_RELAY_INTEGRATIONS</code> and have it report to{' '}
        <code className="font-mono text-xs">POST /api/integrations/events</code>. Each becomes one message that one agent claims.
      </p>
    </Empty>
  );
}
