import { createHash } from 'node:crypto';
import type { ChannelHandle, OutgoingMail } from 'agent-relay-client';
import { OutsideIdSchema, RELAY_VERSION } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';
import { SIGNATURE_HEADER, signBody } from 'agent-relay-wire/node';
import { z } from 'zod';
import type { WebhookOptions } from './start-options.ts';

const ANSWER_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;
const DAY_MS = 86_400_000;
/** Longer than any other pause: what was away for an hour need not be asked every second. */
const LONGEST_PAUSE_MS = 60_000;
/** Other refusals will not change by asking again. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

const AnswerSchema = z.object({ externalIds: z.array(OutsideIdSchema).min(1).max(100) });

interface DeliverOptions extends Pick<WebhookOptions, 'deliverTo' | 'secret' | 'clock' | 'log' | 'giveUpAfterMs'> {
  readonly channel: ChannelHandle;
  readonly signal: AbortSignal;
}

/** What became of one post: taken under names that the outside gave it or did not, refused for good, or worth another try. */
type Outcome =
  | { readonly type: 'taken'; readonly externalIds: readonly string[] | null }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string; readonly afterMs: number };

/** Posts what agents write, in order, each until it is taken, refused or given up. Ends with the signal or the channel. */
export async function deliver(options: DeliverOptions): Promise<void> {
  const { channel, signal, log } = options;
  const either = AbortSignal.any([signal, channel.signal]);
  try {
    for await (const mail of channel.outgoing({ signal })) {
      const outcome = await carry(mail, options, either);
      if (outcome === null) return;
      const { id } = mail.message;
      if (outcome.type === 'taken') await mail.sent(outcome.externalIds ?? [String(id)]);
      else {
        log.warn('a message was not taken', { messageId: id, reason: outcome.reason });
        await mail.failed(outcome.reason);
      }
    }
  } catch (error) {
    // What was in hand is handed over again after the next start.
    if (!signal.aborted) throw error;
  }
}

/** Null when there was no time left to find out. */
async function carry(
  mail: OutgoingMail,
  options: DeliverOptions,
  signal: AbortSignal,
): Promise<Exclude<Outcome, { type: 'failed' }> | null> {
  const { deliverTo, clock, log, giveUpAfterMs = DAY_MS } = options;
  const { conversationId, problem, message } = mail;
  if (deliverTo === null || conversationId === null) return { type: 'refused', reason: problem ?? 'This channel only brings messages in' };
  const body = bodyOf(mail);
  const deadline = clock.now() + giveUpAfterMs;
  const delays = backoffDelays({ initialMs: 500, maxMs: LONGEST_PAUSE_MS });
  while (!signal.aborted) {
    const outcome = await post(deliverTo, body, options, signal);
    if (signal.aborted && outcome.type === 'failed') return null;
    if (outcome.type !== 'failed') return outcome;
    const pause = Math.max(delays.next().value, Math.min(outcome.afterMs, LONGEST_PAUSE_MS));
    if (clock.now() + pause > deadline) return { type: 'refused', reason: `Given up: ${outcome.reason}` };
    log.warn('a message could not be posted, trying again', { messageId: message.id, reason: outcome.reason });
    await sleep(pause, { signal });
  }
  return null;
}

function bodyOf({ message, conversationId, replyToExternalId }: OutgoingMail): string {
  const { id, from, body, subject, threadId, replyTo, createdAt } = message;
  return JSON.stringify({ conversationId, replyToExternalId, message: { id, from, body, subject, threadId, replyTo, createdAt } });
}

async function post(url: string, body: string, { secret, clock }: DeliverOptions, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': `agent-relay-channel-webhook/${RELAY_VERSION}`,
        // Of the message itself, so that it is the same after a restart and another one in another relay's database.
        'idempotency-key': createHash('sha256').update(body).digest('hex').slice(0, 32),
        [SIGNATURE_HEADER]: signBody(body, secret, clock.now()),
      },
    });
    const text = await readText(response);
    const { status } = response;
    if (response.ok) return { type: 'taken', externalIds: namesIn(text) };
    const reason = `It answered ${status}${status >= 300 && status < 400 ? ': redirects are not followed' : ''}`;
    if (status < 500 && !passing.has(status)) return { type: 'refused', reason };
    return { type: 'failed', reason, afterMs: Number(response.headers.get('retry-after') ?? 0) * 1000 || 0 };
  } catch (error) {
    return { type: 'failed', reason: reasonOf(error), afterMs: 0 };
  }
}

/** What the outside calls it, when it says so. */
function namesIn(text: string): readonly string[] | null {
  try {
    return AnswerSchema.parse(JSON.parse(text)).externalIds;
  } catch {
    return null;
  }
}

/** At most so much: what follows is not ours to hold. */
async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  return text;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `No answer within ${ANSWER_TIMEOUT_MS} ms`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
