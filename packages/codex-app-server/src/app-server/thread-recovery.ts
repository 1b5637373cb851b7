import { sleep } from 'agent-relay-wire';
import { betweenMs } from './stored-history.ts';
import type { ThreadFeed } from './thread-feed.ts';
import type { ThreadHistory } from './thread-history.ts';

/**
 * What whoever sends messages to a thread does when its server has forgotten it, as a server does that died and was started again. Without it
 * what waited in Codex's queue runs as soon as the thread is loaded, with the rights that the thread was opened with.
 */
export interface ThreadRecovery {
  /** What Codex has not repeated yet, by `clientUserMessageId`. It is taken out of Codex's queue. */
  unconfirmed(): ReadonlySet<string>;
  /** Of those, `found` are in the conversation; the others are the caller's to send again. Called before anything can be sent. */
  forgotten(found: ReadonlySet<string>): void;
  /** The thread is loaded again, under another id where it had never been stored. */
  resumed(): void;
}

const partOfReconnect = { isPartOfReconnect: true } as const;

interface Recovering {
  readonly history: ThreadHistory;
  readonly feed: ThreadFeed;
  readonly canQueue: boolean;
  /** Somebody else had the new server load the thread first: its queue may run already. */
  readonly isLoaded: boolean;
}

/** What the dead server had taken and not repeated, looked for before the thread is loaded: then its queue would begin to run. */
export async function recoverMessages(recovery: ThreadRecovery, { history, feed, canQueue, isLoaded }: Recovering): Promise<void> {
  const unconfirmed = recovery.unconfirmed();
  if (unconfirmed.size === 0) return recovery.forgotten(unconfirmed);
  if (canQueue) await history.dequeue(unconfirmed, partOfReconnect);
  const look = () => history.messages(unconfirmed, { ...partOfReconnect, backTo: feed.missedSince(undefined) });
  let found = await look();
  if (isLoaded && found.size < unconfirmed.size) {
    await sleep(betweenMs);
    found = await look();
  }
  for (const entry of found.values()) feed.recovered(entry);
  recovery.forgotten(new Set(found.keys()));
}
