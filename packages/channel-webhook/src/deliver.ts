import type { ChannelHandle, OutgoingMail } from 'agent-relay-client';
import { asText, OutsideIdSchema, RELAY_VERSION } from 'agent-relay-protocol';
import { type PostPolicy, postFault, postUntilSettled } from 'agent-relay-wire';
import { postHeaders } from 'agent-relay-wire/node';
import { z } from 'zod';
import type { WebhookOptions } from './start-options.ts';

const ANSWER_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;
const DAY_MS = 86_400_000;
/** Below 500 these alone pass: other refusals will not change by asking again. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

const policy: PostPolicy = {
  firstDelayMs: 500,
  // Everything else waits behind what is tried, so no pause is longer.
  longestDelayMs: 60_000,
  longestAskedMs: 60_000,
  attemptsAt: (status) => (status < 500 && !passing.has(status) ? 1 : Number.POSITIVE_INFINITY),
};

const AnswerSchema = z.object({ externalIds: z.array(OutsideIdSchema).min(1).max(100) });

interface DeliverOptions extends Pick<WebhookOptions, 'deliverTo' | 'secret' | 'clock' | 'random' | 'log' | 'giveUpAfterMs'> {
  readonly channel: ChannelHandle;
  readonly signal: AbortSignal;
}

/** What became of a message: taken under names that the outside gave it or did not, or refused for good. */
type Outcome =
  | { readonly type: 'taken'; readonly externalIds: readonly string[] | null }
  | { readonly type: 'refused'; readonly reason: string };

/** What one attempt found: an answer, or why there is none. */
type Answer =
  | { readonly status: number; readonly text: string; readonly retryAfter?: string | undefined }
  | { readonly status: null; readonly error: string; readonly retryAfter?: undefined };

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
async function carry(mail: OutgoingMail, options: DeliverOptions, signal: AbortSignal): Promise<Outcome | null> {
  const { deliverTo, clock, random, log, giveUpAfterMs = DAY_MS } = options;
  const { conversationId, problem, message } = mail;
  if (deliverTo === null || conversationId === null) return { type: 'refused', reason: problem ?? 'This channel only brings messages in' };
  const body = bodyOf(mail);
  if (signal.aborted) return null;
  const onAgain = (answer: Answer) =>
    log.warn('a message could not be posted, trying again', { messageId: message.id, reason: faultOf(answer) });
  const terms = { policy, lifetimeMs: giveUpAfterMs, now: () => clock.now(), chance: () => random(), signal, onAgain };
  const { answer, fate } = await postUntilSettled(() => post(deliverTo, body, options, signal), terms);
  if (answer.status !== null && fate.status === 'delivered') return { type: 'taken', externalIds: namesIn(answer.text) };
  if (fate.status === 'dead' && fate.cause === 'refused') return { type: 'refused', reason: faultOf(answer) };
  return signal.aborted ? null : { type: 'refused', reason: `Given up: ${faultOf(answer)}` };
}

const faultOf = (answer: Answer): string => (answer.status === null ? answer.error : postFault(answer.status));

function bodyOf({ message, conversationId, replyToExternalId }: OutgoingMail): string {
  const { id, from, body, subject, threadId, replyTo, createdAt } = message;
  return JSON.stringify({ conversationId, replyToExternalId, message: { id, from, body, subject, threadId, replyTo, createdAt } });
}

async function post(url: string, body: string, { secret, clock }: DeliverOptions, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      headers: postHeaders({ body, key: secret, now: clock.now(), userAgent: `agent-relay-channel-webhook/${RELAY_VERSION}` }),
    });
    const text = await readText(response);
    return { status: response.status, text, retryAfter: response.headers.get('retry-after') ?? undefined };
  } catch (error) {
    return { status: null, error: reasonOf(error) };
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
  if (!(error instanceof Error)) return asText(error);
  if (error.name === 'TimeoutError') return `No answer within ${ANSWER_TIMEOUT_MS} ms`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
