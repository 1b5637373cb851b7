import { messageOf, RELAY_VERSION } from 'agent-relay-protocol';
import { type PostPolicy, postFault, postUntilSettled } from 'agent-relay-wire';
import { postHeaders } from 'agent-relay-wire/node';
import type { CommandResult } from './run-command.ts';

/** A hook is of the moment: what the other side does not take within a minute is told as failed. */
const LIFETIME_MS = 60_000;
const ATTEMPT_MS = 10_000;
const policy: PostPolicy = {
  firstDelayMs: 1_000,
  longestDelayMs: 15_000,
  longestAskedMs: 30_000,
  attemptsAt: (status) => (status < 500 && status !== 408 && status !== 429 ? 1 : 4),
};

export interface Webhook {
  readonly url: string;
  readonly secret: string;
  readonly event: string;
  readonly body: string;
}

/** Posts it, signed as callbacks are, and again while the other side may still take it. Never rejects. */
export async function postWebhook(
  { url, secret, event, body }: Webhook,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): Promise<CommandResult> {
  const userAgent = `agent-relay/${RELAY_VERSION}`;
  const post = () => {
    const headers = { ...postHeaders({ body, key: secret, now: now(), userAgent }), 'x-agent-relay-event': event };
    return attempt(url, { body, headers }, signal);
  };
  const { answer, fate } = await postUntilSettled(post, { policy, lifetimeMs: LIFETIME_MS, now, chance: () => 0.5, signal });
  if (fate.status === 'delivered') return { outcome: 'succeeded', detail: `It answered ${answer.status}` };
  return { outcome: 'failed', detail: answer.fault.slice(0, 1000) };
}

async function attempt(
  url: string,
  request: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
) {
  try {
    const timely = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
    const answer = await fetch(url, { method: 'POST', ...request, redirect: 'manual', signal: timely });
    await answer.body?.cancel();
    return { status: answer.status, retryAfter: answer.headers.get('retry-after') ?? undefined, fault: postFault(answer.status) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
    return { status: null, retryAfter: undefined, fault: `It could not be reached: ${cause}` };
  }
}
