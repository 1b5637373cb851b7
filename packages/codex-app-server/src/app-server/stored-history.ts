import { JsonRpcError, sleep } from 'agent-relay-wire';
import type { CodexRequester } from './codex-requester.ts';
import { isConnectionLost } from './errors.ts';
import { LoadedThreadsPage } from './methods.ts';

/** A thread is stored with its first turn: one that has had none cannot be resumed, not even while its server has it loaded. */
export const isNeverStored = (error: unknown): boolean =>
  error instanceof JsonRpcError && /no rollout found|not materialized yet|rollout at .* is empty/iu.test(error.message);

/** For some 20 ms after its first turn began, Codex says of a thread's history that it is not supported yet (0.169). */
const isBeingStored = (error: unknown): boolean => error instanceof JsonRpcError && /is not supported yet/iu.test(error.message);

export const hasNoHistory = (error: unknown): boolean => isNeverStored(error) || isBeingStored(error);

/**
 * What Codex has just taken out of its queue is in neither list until its turn has begun; and one that stood still takes what lay before it a moment
 * after it answers again, also from a connection that is gone.
 */
export const betweenMs = 1_000;

const retryMs = 20;

/** Asks again while the history is being written; with `isTurnRunning` also while it does not exist yet. */
export async function onceStored<T>(ask: () => Promise<T>, { isTurnRunning = false, forMs = 2_000 } = {}): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += retryMs) {
    try {
      return await ask();
    } catch (error) {
      const mayCome = isBeingStored(error) || (isTurnRunning && isNeverStored(error));
      if (!mayCome || waitedMs >= forMs) throw error;
      await sleep(retryMs);
    }
  }
}

/** What a new connection's server has in memory; `undefined` where it cannot say. */
export async function loadedThreadIds(client: Pick<CodexRequester, 'ask'>): Promise<ReadonlySet<string> | undefined> {
  const ids = new Set<string>();
  try {
    for (let cursor: string | undefined; ; ) {
      const params = cursor === undefined ? {} : { cursor };
      const page = await client.ask(LoadedThreadsPage, 'thread/loaded/list', params, { isPartOfReconnect: true });
      for (const id of page.data) ids.add(id);
      cursor = page.data.length === 0 ? undefined : (page.nextCursor ?? undefined);
      if (cursor === undefined) return ids;
    }
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return undefined;
  }
}
