import type { RelayClient } from 'agent-relay-client';
import { type Delivery, RelayError, type RouteRequest, type SentMessage, type WaitFor } from 'agent-relay-protocol';
import { isRetryable, Pauses } from 'agent-relay-wire';
import type { Terminal } from './terminal.ts';
import { type EndedTurn, endOfTurnWith } from './turn-with-message.ts';

/** A message that names itself, so that saying it again is saying it once. */
export type NamedMessage = RouteRequest<'messages/send'> & { readonly idempotencyKey: string };

/** How the wait ended: everybody got there, a turn with the message ended without an answer, or the time was over. */
export interface Waited {
  readonly reached: boolean;
  readonly deliveries: readonly Delivery[];
  readonly endedTurn: EndedTurn | null;
}

/** One call waits this long at most; a longer wait is several. */
const CALL_MS = 15_000;
/** How often a message is said again whose answer was lost on the way. */
const MAX_TRIES = 6;

/**
 * Sends a message, once. Says it again only where the relay may have heard it; one that nobody can have heard fails at once.
 * @throws RelayError `connection_closed` when no relay answers.
 */
export async function sendOnce(client: RelayClient, message: NamedMessage, signal: AbortSignal): Promise<SentMessage> {
  const pauses = new Pauses({ maxMs: 4_000 });
  for (let tries = 1; ; tries += 1) {
    try {
      return await client.messages.send(message, { signal });
    } catch (error) {
      if (!isAway(error) || (tries === 1 && wasUnheard(error)) || tries === MAX_TRIES || signal.aborted) throw error;
      await pauses.take({ signal });
    }
  }
}

/** Waits for a stored message's receipts, over any number of losses of the relay. */
export async function waitForReceipts(
  client: RelayClient,
  { message, sent, state, timeoutMs }: { message: NamedMessage; sent: SentMessage; state: WaitFor['state']; timeoutMs: number },
  { signal, note }: Pick<Terminal, 'signal' | 'note'>,
): Promise<Waited> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal, AbortSignal.timeout(timeoutMs)]);
  let endedTurn: EndedTurn | null = null;
  const watching = state === 'answered' && sent.to.startsWith('id:') && sent.mode !== 'fyi';
  if (watching) {
    void endOfTurnWith(client, sent, stop).then((turn) => {
      endedTurn = turn;
      if (turn !== null) over.abort();
    });
  }
  const waitFor = { state, timeoutMs: Math.min(timeoutMs, CALL_MS) };
  const pauses = new Pauses({ maxMs: 2_000 });
  let isAwayNow = false;
  try {
    while (!stop.aborted) {
      try {
        const { waited } = await client.messages.send({ ...message, waitFor }, { signal: stop });
        if (isAwayNow) note('the relay is back');
        isAwayNow = false;
        pauses.reset();
        if (waited && (waited.reached || isHopeless(waited.deliveries))) return { ...waited, endedTurn };
      } catch (error) {
        if (stop.aborted) break;
        if (!isRetryable(error)) throw error;
        if (!isAwayNow) note(`the relay is away; message ${sent.id} is stored, and the wait goes on`);
        isAwayNow = true;
        await pauses.take({ signal: stop });
      }
    }
    signal.throwIfAborted();
    const { data } = await client.messages.deliveries({ id: sent.id }, { signal });
    return { reached: false, deliveries: data, endedTurn };
  } finally {
    over.abort();
  }
}

/** Nobody is left who could get there. */
const isHopeless = (deliveries: readonly Delivery[]): boolean => deliveries.every(({ state }) => state === 'failed' || state === 'expired');

const isAway = (error: unknown): boolean => error instanceof RelayError && error.code === 'connection_closed';

/** Nothing listened: the message cannot have been stored. */
function wasUnheard(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (
      'code' in cause &&
      typeof cause.code === 'string' &&
      /^(?:ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/u.test(cause.code)
    )
      return true;
  }
  return false;
}
