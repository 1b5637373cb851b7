import { useMutation, useQuery } from '@tanstack/react-query';
import type { CallbackStatus } from 'agent-relay-protocol';
import { keys } from './keys.ts';
import { listUpTo } from './list-up-to.ts';
import { useConnection, useMayCall, useRelay } from './use-relay.ts';

export const CALLBACK_LIMIT = 1_000;
/** How many are sent again at a time. */
const AT_ONCE = 8;

/** Callbacks of one state, newest first. For the owner and the integration itself; nobody else asks. */
export function useCallbacks(status: CallbackStatus) {
  const relay = useRelay();
  return useQuery({
    queryKey: keys.callbacksBy(status),
    enabled: useMayCall('callbacks/list'),
    queryFn: async () => (await listUpTo(CALLBACK_LIMIT, relay.callbacks.list, { status })).data,
  });
}

export function useTaskCallbacks(taskId: number) {
  const relay = useRelay();
  return useQuery({
    queryKey: keys.callbacksOf(taskId),
    enabled: useMayCall('callbacks/list'),
    queryFn: async () => (await listUpTo(CALLBACK_LIMIT, relay.callbacks.list, { taskId })).data,
  });
}

export interface Redelivered {
  readonly sent: number;
  /** What the relay said of those it did not take. */
  readonly refused: readonly string[];
}

/** Sends callbacks again, a few at a time; one that is refused keeps no other back. */
export function useRedeliver() {
  const { relay, queries } = useConnection();
  return useMutation({
    mutationFn: async (ids: readonly number[]): Promise<Redelivered> => {
      const refused: string[] = [];
      for (let from = 0; from < ids.length; from += AT_ONCE) {
        const answers = await Promise.allSettled(ids.slice(from, from + AT_ONCE).map((id) => relay.callbacks.redeliver({ id })));
        for (const answer of answers) if (answer.status === 'rejected') refused.push(String(answer.reason?.message ?? answer.reason));
      }
      if (refused.length > 0 && refused.length === ids.length) throw new Error(refused[0]);
      return { sent: ids.length - refused.length, refused };
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.callbacks }),
  });
}
