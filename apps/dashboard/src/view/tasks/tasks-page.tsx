import type { Task } from 'agent-relay-protocol';
import { type List, useList } from '../../live/use-list.ts';
import { ACTIVE_LIMIT, tasksView } from '../../relay/tasks.ts';
import { ActButton } from '../act-button.tsx';
import { ListPane } from '../list-pane.tsx';
import { Problem } from '../problem.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { TaskDetail } from './task-detail.tsx';
import { filterTasks, sourcesOf, type TaskSearch } from './task-filter.ts';
import { TaskLine } from './task-line.tsx';
import { TaskTools } from './task-tools.tsx';

/** Work from outside: what is active, what has ended, and one task beside it. */
export function TasksPage({ search, taskId }: { readonly search: TaskSearch; readonly taskId: number | null }) {
  const tasks = useList(tasksView, (all) => filterTasks(all, search));
  const list = (
    <ListPane
      list={tasks}
      label="Tasks"
      keyOf={({ id }) => id}
      rowHeight={56}
      selected={taskId}
      row={(task) => <TaskLine task={task} isSelected={task.id === taskId} />}
      refused="This token may not see tasks."
      empty={<NoTasks />}
      noneFits={<Empty title="No task fits the filter." />}
      footer={search.status === undefined ? <ManyActive count={tasks.items.length} /> : <Older older={tasks.older} />}
    />
  );
  return (
    <SplitPage
      title="Tasks"
      hint="Work that systems outside reported"
      tools={<TaskTools search={search} sources={sourcesOf(tasks.all)} count={tasks.items.length} />}
      list={list}
      detail={taskId === null ? null : <TaskDetail key={taskId} id={taskId} />}
    />
  );
}

function NoTasks() {
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

function Older({ older }: Pick<List<Task>, 'older'>) {
  if (older.output === true) return <p className="p-4 text-center text-soft text-xs">That is all the relay keeps.</p>;
  return (
    <div className="grid justify-items-center gap-2 p-4 text-xs">
      <Problem error={older.error} />
      <ActButton className="button text-xs" isBusy={older.isPending} onClick={() => older.run()}>
        {older.isPending ? 'Reading…' : 'Show older tasks'}
      </ActButton>
    </div>
  );
}
