import type { RelayClient } from 'agent-relay-client';
import type { Callback, CallbackStatus, RouteOutput } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN } from '../live/view.ts';
import { listUpTo } from './list-up-to.ts';

const PAGE = 1_000;
/** How many are sent again at a time. */
const AT_ONCE = 8;

// Every event of a callback or a task may change any list of them, and the log does not carry what the other side answered.
const apply = (): typeof READ_AGAIN => READ_AGAIN;

/** Callbacks of one state, newest first. */
export const callbacksView = (status: CallbackStatus): ListView<Callback> => ({
  name: 'callbacks',
  id: status,
  route: 'callbacks/list',
  read: async (relay) => {
    const { data, cursor, next } = await listUpTo(PAGE, relay.callbacks.list, { status });
    return { data, cursor, nextCursor: next };
  },
  apply,
  older: {
    oldest: 'last',
    read: async (relay, known) => {
      const { data, nextCursor } = await relay.callbacks.list({ status, limit: PAGE, before: known.at(-1)?.id ?? 1 });
      return { data, isEnd: nextCursor === undefined };
    },
    merge: (known, older) => [...new Map([...known, ...older].map((callback) => [callback.id, callback])).values()],
  },
});

/** What the source of one task was told, newest first. */
export const taskCallbacksView = (taskId: number): ListView<Callback> => ({
  name: 'callbacks',
  id: taskId,
  route: 'callbacks/list',
  read: (relay) => listUpTo(PAGE, relay.callbacks.list, { task: taskId }),
  apply,
});

export interface Redelivered {
  readonly sent: number;
  /** What the relay said of those it did not take. */
  readonly refused: readonly string[];
}

/** Sends everything that was given up again, the oldest first; what is given up meanwhile is not among it. */
export async function redeliverAll(relay: RelayClient): Promise<Redelivered> {
  const ids: number[] = [];
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const { data, nextCursor }: RouteOutput<'callbacks/list'> = await relay.callbacks.list({ status: 'dead', limit: PAGE, before });
    ids.unshift(...data.map(({ id }) => id).reverse());
    before = nextCursor;
  }
  return redeliver(relay, ids);
}

/** Sends callbacks again, a few at a time; one that is refused keeps no other back. @throws Error when all were refused. */
export async function redeliver(relay: RelayClient, ids: readonly number[]): Promise<Redelivered> {
  const refused: string[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const answers = await Promise.allSettled(ids.slice(from, from + AT_ONCE).map((id) => relay.callbacks.redeliver({ id })));
    for (const answer of answers) if (answer.status === 'rejected') refused.push(String(answer.reason?.message ?? answer.reason));
  }
  if (refused.length > 0 && refused.length === ids.length) throw new Error(refused[0]);
  return { sent: ids.length - refused.length, refused };
}
