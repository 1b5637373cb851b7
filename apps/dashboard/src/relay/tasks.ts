import { listAll, type RelayClient } from 'agent-relay-client';
import type { Integration, StatusCounts, Task, TaskEvent } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN, type Snapshot, type View } from '../live/view.ts';
import { byId } from './collect.ts';

/** Which tasks; absent is the default: whatever is active, of every source. */
export interface TaskFilter {
  readonly status?: Task['status'] | 'ended' | 'all';
  readonly source?: string;
  /** An address, as a task has it or without its `id:`. */
  readonly target?: string;
  readonly find?: string;
}

const PAGE = 200;
/** So many live ones are kept on the page beside what a person read further back. */
const KEPT = 2_000;

export const isEndedTask = ({ status }: Pick<Task, 'status'>): boolean => status === 'done' || status === 'failed' || status === 'canceled';

/** Tasks as the relay finds them, newest first, page by page. */
export const tasksView = (filter: TaskFilter): ListView<Task> => {
  const request = requestOf(filter);
  return {
    name: 'tasks',
    id: JSON.stringify(request),
    route: 'tasks/list',
    read: (relay) => relay.tasks.list({ ...request, limit: PAGE }),
    apply: (tasks, event) => ('task' in event ? changeTask(tasks, event.task, filter) : tasks),
    older: {
      oldest: 'last',
      read: async (relay, known) => {
        const { data, nextCursor } = await relay.tasks.list({ ...request, limit: PAGE, before: known.at(-1)?.id ?? 1 });
        return { data, isEnd: nextCursor === undefined };
      },
      merge: (known, older) => mergeTasks(older, known),
    },
  };
};

const requestOf = ({
  status = 'active',
  source,
  target,
  find = '',
}: { readonly [Name in keyof TaskFilter]?: TaskFilter[Name] | 'active' }) => ({
  ...(status === 'all' ? {} : { status }),
  ...(source === undefined ? {} : { source }),
  ...(target === undefined ? {} : { target }),
  ...(find.trim() === '' ? {} : { find: find.trim() }),
});

function changeTask(tasks: readonly Task[], task: Task, filter: TaskFilter): readonly Task[] {
  if (fitsTask(task, filter)) return mergeTasks(tasks, [task]).slice(0, Math.max(KEPT, tasks.length));
  return tasks.some(({ id }) => id === task.id) ? tasks.filter(({ id }) => id !== task.id) : tasks;
}

/** Newest first; of one that is in both the later. */
export const mergeTasks = (tasks: readonly Task[], more: readonly Task[]): readonly Task[] =>
  [...new Map([...tasks, ...more].map((task) => [task.id, task])).values()].sort((one, other) => byId(other) - byId(one));

/** Whether the relay would list a task that the log tells of. */
export function fitsTask(task: Task, { status, source, target, find = '' }: TaskFilter): boolean {
  if (target !== undefined && spelled(task.target) !== spelled(target)) return false;
  if (source !== undefined && task.source !== source) return false;
  const isOfStatus =
    status === undefined ? !isEndedTask(task) : status === 'ended' ? isEndedTask(task) : status === 'all' || task.status === status;
  return isOfStatus && wordsOf(task).includes(find.trim().toLowerCase());
}

/** A channel has two spellings, and a word alone is an id. */
const spelled = (address: string): string => address.replace(/^#/u, 'channel:').replace(/^id:/u, '');

const wordsOf = ({ id, title, target, claimedBy, severity, type, dedupeKey }: Task): string =>
  [id, title, target, claimedBy, severity, type, dedupeKey].join('\n').toLowerCase();

/** How many there are, by status; with `active` of the active ones alone, which the relay counts quickly however many have ended. */
export const taskCountsView = (filter: TaskFilter): View<StatusCounts> => ({
  name: 'task-counts',
  id: JSON.stringify(requestOf(filter)),
  route: 'tasks/count',
  read: (relay) => countTasks(relay, filter),
  // What a task was before, the log does not say.
  apply: (counts, event) => ('task' in event && event.type !== 'task.repeated' ? READ_AGAIN : counts),
});

async function countTasks(relay: RelayClient, filter: TaskFilter): Promise<Snapshot<StatusCounts>> {
  const { counts, cursor } = await relay.tasks.count(requestOf(filter));
  return { data: counts, cursor };
}

export const totalOf = (counts: StatusCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** One task, whatever the list holds. */
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

/** Where tasks come from, by name. */
export const sourcesView: ListView<Integration> = {
  name: 'integrations',
  route: 'integrations/list',
  read: (relay) => listAll(relay.integrations.list, {}),
  apply: (sources, event) => ('task' in event && !sources.some(({ name }) => name === event.task.source) ? READ_AGAIN : sources),
};
