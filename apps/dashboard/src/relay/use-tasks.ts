import { useMutation, useQuery } from '@tanstack/react-query';
import type { Task } from 'agent-relay-protocol';
import { isEndedTask, mergeTasks, reduceTasks } from './collections.ts';
import { keys } from './keys.ts';
import { listUpTo } from './list-up-to.ts';
import type { EndTaskRequest } from './requests.ts';
import { useConnection, useRelay } from './use-relay.ts';

/** Active tasks beyond this many are not shown; the page says so. */
export const ACTIVE_LIMIT = 1_000;
const ENDED_PAGE = 200;

/** Every active task and the newest of the rest, newest first. */
export function useTasks() {
  const { relay, current } = useConnection();
  return useQuery({
    queryKey: keys.tasks,
    queryFn: async () => {
      const newest = await listUpTo(ENDED_PAGE, relay.tasks.list, {});
      const active = await listUpTo(ACTIVE_LIMIT, relay.tasks.list, { status: 'active' as const });
      return current({ data: mergeTasks(newest.data, active.data), cursor: newest.cursor }, reduceTasks);
    },
  });
}

/** One task, also when it is older than what the list holds. */
export function useTask(id: number) {
  const { relay, current, queries } = useConnection();
  const { data: tasks, isSuccess } = useTasks();
  const known = tasks?.find((task) => task.id === id);
  const fetched = useQuery({
    queryKey: [...keys.tasks, id],
    enabled: isSuccess && known === undefined,
    queryFn: async () => {
      const task = await relay.tasks.get({ id });
      queries.setQueryData<readonly Task[]>(
        keys.tasks,
        (list) => list && current({ data: mergeTasks(list, [task]), cursor: 0 }, reduceTasks),
      );
      return task;
    },
  });
  return { task: known ?? null, error: fetched.error };
}

/** Reads further back into what has ended; `isEnd` when there is no more. */
export function useOlderTasks() {
  const { relay, queries } = useConnection();
  return useMutation({
    mutationFn: async () => {
      const known = queries.getQueryData<readonly Task[]>(keys.tasks) ?? [];
      const oldest = known.filter(isEndedTask).at(-1)?.id;
      const { data, nextCursor } = await relay.tasks.list({ limit: ENDED_PAGE, ...(oldest === undefined ? {} : { before: oldest }) });
      queries.setQueryData<readonly Task[]>(keys.tasks, (tasks) => tasks && mergeTasks(data, tasks));
      return { isEnd: nextCursor === undefined };
    },
  });
}

export function useTaskHistory(id: number) {
  const relay = useRelay();
  return useQuery({ queryKey: keys.taskHistory(id), queryFn: async () => (await relay.tasks.events({ id, limit: 1_000 })).data });
}

/** Ends a task over its holder's head; the event brings the page up to date. */
export function useEndTask() {
  const relay = useRelay();
  return useMutation({ mutationFn: (request: EndTaskRequest) => relay.tasks.status(request) });
}
