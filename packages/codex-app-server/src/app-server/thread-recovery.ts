import { sleep } from 'agent-relay-wire';
import type { ItemEntry } from './methods.ts';
import { betweenMs } from './stored-history.ts';
import type { ThreadFeed } from './thread-feed.ts';
import type { ThreadHistory } from './thread-history.ts';

/**
 * What whoever sends messages to a thread does when its server may have forgotten some: one that died and was started again, and after every lost connection
 * one where nothing runs. Without it what waited in the queue of a server that died runs as soon as the thread is loaded, with the rights that the thread
 * was opened with.
 */
export interface ThreadRecovery {
  /** What was sent to this thread and Codex has not repeated yet, by `clientUserMessageId`. Where the server is known to have died it is taken out of Codex's queue. */
  unconfirmed(threadId: string): ReadonlySet<string>;
  /** What a message says; absent where its sender looks for it again before it goes a second time. */
  textOf?(clientUserMessageId: string): string | undefined;
  /** Of those, `found` are in the conversation or wait in the queue; the others are the caller's to send again. Called before anything can be sent. */
  forgotten(found: ReadonlySet<string>, threadId: string): void;
  /** The thread is loaded again, under another id where it had never been stored. */
  resumed(): void;
}

export const partOfReconnect = { isPartOfReconnect: true } as const;

export interface Recovering {
  readonly threadId: string;
  readonly history: ThreadHistory;
  readonly feed: ThreadFeed;
  readonly canQueue: boolean;
  /** Somebody else had the new server load the thread first: its queue may run already. */
  readonly isLoaded: boolean;
}

/** What the dead server had taken and not repeated, looked for before the thread is loaded: then its queue would begin to run. */
export async function recoverMessages(
  recovery: ThreadRecovery,
  { threadId, history, feed, canQueue, isLoaded }: Recovering,
): Promise<void> {
  const unconfirmed = recovery.unconfirmed(threadId);
  if (unconfirmed.size === 0) return recovery.forgotten(unconfirmed, threadId);
  const isOut = canQueue ? await history.dequeue(unconfirmed, partOfReconnect) : new Map<string, boolean>();
  const mayRun = isLoaded || [...isOut.values()].includes(false);
  const found = await lookTwice(mayRun, unconfirmed, () => conversation(recovery, { history, feed }, unconfirmed));
  for (const entry of found.values()) feed.recovered(entry);
  recovery.forgotten(new Set(found.keys()), threadId);
}

/**
 * A connection was lost and nothing runs: what the server has not repeated is in its queue or in the conversation, or the server is another one, which nobody
 * said, and somebody else had it load the thread first. Nothing is taken out.
 */
export async function lookAgain(recovery: ThreadRecovery, { threadId, history, feed, canQueue }: Recovering): Promise<void> {
  const unconfirmed = recovery.unconfirmed(threadId);
  if (unconfirmed.size === 0) return;
  const found = await lookTwice(true, unconfirmed, async () => {
    // The queue first: what leaves it meanwhile is in the conversation then.
    const queue = canQueue ? await history.queue(partOfReconnect) : [];
    const waiting = queue.flatMap(({ clientUserMessageId: id }) => (id && unconfirmed.has(id) ? [[id, undefined] as const] : []));
    return new Map([...waiting, ...(await conversation(recovery, { history, feed }, unconfirmed))]);
  });
  for (const entry of found.values()) if (entry) feed.recovered(entry);
  recovery.forgotten(new Set(found.keys()), threadId);
  recovery.resumed();
}

const conversation = (
  recovery: ThreadRecovery,
  { history, feed }: Pick<Recovering, 'history' | 'feed'>,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ItemEntry>> => {
  const wanted = new Map([...ids].map((id) => [id, recovery.textOf?.(id)]));
  return history.messages(wanted, { ...partOfReconnect, backTo: feed.missedSince(undefined) });
};

/** The second time where the thread's queue may run already. */
async function lookTwice<Found>(
  mayRun: boolean,
  wanted: ReadonlySet<string>,
  look: () => Promise<ReadonlyMap<string, Found>>,
): Promise<ReadonlyMap<string, Found>> {
  const found = await look();
  if (!mayRun || found.size === wanted.size) return found;
  await sleep(betweenMs);
  return await look();
}
