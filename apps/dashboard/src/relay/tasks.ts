import type { Task, TaskEvent } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN, type View } from '../live/view.ts';
import { byId, mergeNewestFirst } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

/** Active tasks beyond this many are not shown; the page says so. */
export const ACTIVE_LIMIT = 1_000;
const ENDED_PAGE = 200;

export const isEndedTask = ({ status }: Pick<Task, 'status'>): boolean => status === 'done' || status === 'failed' || status === 'canceled';

export const mergeTasks = mergeNewestFirst<Task>({ keyOf: byId, isOver: isEndedTask, order: byId });

/** Every active task and the newest of the rest, newest first. */
export const tasksView: ListView<Task> = {
  name: 'tasks',
  route: 'tasks/list',
  read: async (relay) => {
    const newest = await listUpTo(ENDED_PAGE, relay.tasks.list, {});
    const active = await listUpTo(ACTIVE_LIMIT, relay.tasks.list, { status: 'active' as const });
    return { data: mergeTasks(newest.data, active.data), cursor: newest.cursor };
  },
  apply: (tasks, event) => ('task' in event ? mergeTasks(tasks, [event.task]) : tasks),
  older: {
    read: async (relay, known) => {
      const oldest = known.filter(isEndedTask).at(-1)?.id;
      const { data, nextCursor } = await relay.tasks.list({ limit: ENDED_PAGE, ...(oldest === undefined ? {} : { before: oldest }) });
      return { data, isEnd: nextCursor === undefined };
    },
    merge: (known, older) => mergeTasks(older, known),
  },
};

/** One task, also when it is older than what the list holds. */
export const taskView = (id: number): View<Task> => ({
  name: 'task',
  id,
  route: 'tasks/get',
  read: async (relay) => ({ data: await relay.tasks.get({ id }), cursor: 0 }),
  apply: (task, event) => ('task' in event && event.task.id === id ? event.task : task),
});

/** What happened to one task, oldest first. The log does not carry who did it, so it is read again. */
export const taskHistoryView = (id: number): ListView<TaskEvent> => ({
  name: 'task-history',
  id,
  route: 'tasks/events',
  read: (relay) => relay.tasks.events({ id, limit: 1_000 }),
  apply: (history, event) => ('task' in event && event.task.id === id ? READ_AGAIN : history),
});
