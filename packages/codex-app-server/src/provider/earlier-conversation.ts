import { RelayError } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { CodexClient } from '../app-server/codex-client.ts';
import { isUnsupported } from '../app-server/errors.ts';
import { betweenMs } from '../app-server/stored-history.ts';
import { type FoundMessage, ThreadHistory } from '../app-server/thread-history.ts';

export interface EarlierPrompt {
  readonly clientUserMessageId: string;
  readonly text: string;
}

/**
 * What became of a prompt in a conversation that this session does not go on with; undefined once nothing there can take it any more: it is not among
 * the items, and it was in the queue and is taken out of it, or no turn runs that may still read it.
 * @throws RelayError `provider_unavailable` while such a turn runs.
 */
export async function findInEarlier(
  client: CodexClient,
  threadId: string,
  { clientUserMessageId: clientId, text }: EarlierPrompt,
): Promise<FoundMessage | undefined> {
  const history = new ThreadHistory(client, () => threadId);
  // In this order: what leaves the queue is in a turn, and what a turn has read is among the items.
  const isTaken = await takeOut(client, history, clientId);
  // Its turn begins a moment later.
  if (isTaken === false) await sleep(betweenMs);
  const [newest] = await history.turns();
  const found = await history.findMessage(clientId, { text });
  if (found || isTaken || newest?.status !== 'inProgress') return found;
  const message = `The earlier conversation of this agent (${threadId}) still runs a turn that may have this: nobody knows whether it is read there`;
  throw new RelayError('provider_unavailable', message);
}

/** Undefined where it did not wait there, `false` where Codex was quicker. */
async function takeOut(client: CodexClient, history: ThreadHistory, clientId: string): Promise<boolean | undefined> {
  if (!client.isExperimental) return undefined;
  try {
    return (await history.dequeue(new Set([clientId]))).get(clientId);
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return undefined;
  }
}
