import { RelayError } from 'agent-relay-protocol';
import type { CodexClient } from '../app-server/codex-client.ts';
import type { CodexThread } from '../app-server/codex-thread.ts';
import { isThreadInUse, isThreadMissing, isUnsupported } from '../app-server/errors.ts';
import { loadedThreadIds } from '../app-server/stored-history.ts';
import { ThreadHistory } from '../app-server/thread-history.ts';
import { isMailOfASession } from './client-ids.ts';

/** A thread is written by one session alone, and what it is opened with holds only where no server has it in memory. */
export async function resumeStored(client: CodexClient, threadId: string, open: () => Promise<CodexThread>): Promise<CodexThread> {
  const loaded = await loadedThreadIds(client);
  const inUse = `The Codex conversation ${threadId} is in use by another session`;
  if (loaded?.has(threadId.toLowerCase())) throw new RelayError('provider_unavailable', inUse);
  try {
    await takeMailBack(client, threadId);
    return await open();
  } catch (cause) {
    if (isThreadInUse(cause)) throw new RelayError('provider_unavailable', inUse, { cause });
    if (isThreadMissing(cause)) throw new RelayError('not_found', `Codex has stored no conversation ${threadId}`, { cause });
    throw cause;
  }
}

/** Mail that a session left in Codex's queue would run as soon as the thread is loaded, with other rights, and the relay offers it again. */
async function takeMailBack(client: CodexClient, threadId: string): Promise<void> {
  if (!client.isExperimental) return;
  const history = new ThreadHistory(client, () => threadId);
  try {
    const waiting = (await history.queue()).flatMap(({ clientUserMessageId: id }) => (id && isMailOfASession(id) ? [id] : []));
    if (waiting.length > 0) await history.dequeue(new Set(waiting));
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  }
}
