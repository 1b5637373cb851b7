import {
  API_PREFIX,
  loosely,
  NODE_PAIRING_OUTCOME_PATH,
  NODE_PAIRING_PATH,
  type PairingOffer,
  PairingOfferSchema,
  type PairingOutcome,
  PairingOutcomeSchema,
  RELAY_VERSION,
  RelayError,
  relayErrorFromBody,
  VERSION_HEADER,
} from 'agent-relay-protocol';
import { isRetryable, sleep } from 'agent-relay-wire';
import type { z } from 'zod';

export interface PairOptions {
  /** The relay's http(s) address. */
  readonly url: URL;
  readonly name: string;
  readonly fetch: typeof globalThis.fetch;
  /** Shows the code to whoever sits here. */
  readonly onOffer: (offer: PairingOffer) => void;
  readonly signal: AbortSignal;
}

type Accepted = Extract<PairingOutcome, { readonly status: 'accepted' }>;

/** How long one answer may take. */
const ANSWER_MS = 20_000;
const LEAST_PAUSE_MS = 200;
/** How long a relay that is away is asked again: longer than any code is good. */
const PATIENCE_MS = 900_000;

/**
 * Asks a relay to let this machine in, and waits until somebody accepted it. A relay that is away meanwhile is asked again.
 * @throws RelayError `not_found` when the code ran out, `rate_limited`, `unsupported` for a relay that pairs no machines, `connection_closed`.
 */
export async function pair({ url, name, fetch, onOffer, signal }: PairOptions): Promise<Accepted> {
  const ask = <Schema extends z.ZodType>(path: string, schema: Schema, body: object) =>
    post(new URL(API_PREFIX + path, url), schema, { body, fetch, signal });
  const offer = await ask(NODE_PAIRING_PATH, PairingOfferSchema, { name, version: RELAY_VERSION }).catch(orOlder);
  onOffer(offer);
  const startedAt = performance.now();
  for (;;) {
    await sleep(Math.max(offer.pollMs, LEAST_PAUSE_MS), { signal });
    signal.throwIfAborted();
    try {
      const outcome = await ask(NODE_PAIRING_OUTCOME_PATH, PairingOutcomeSchema, { secret: offer.secret });
      if (outcome.status === 'accepted') return outcome;
    } catch (error) {
      if (!isRetryable(error) || performance.now() - startedAt > PATIENCE_MS) throw error;
    }
  }
}

interface Posted extends Pick<PairOptions, 'fetch' | 'signal'> {
  readonly body: object;
}

async function post<Schema extends z.ZodType>(url: URL, schema: Schema, { body, fetch, signal }: Posted): Promise<z.output<Schema>> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // What asks is no browser, and a token is not fetched from wherever somebody points to.
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new RelayError('connection_closed', `Cannot reach the relay at ${url.origin}`, { cause });
  });
  const said: unknown = await answer.json().catch(() => null);
  if (!answer.headers.has(VERSION_HEADER)) throw new RelayError('connection_closed', `What answers at ${url.origin} is no Agent Relay`);
  if (!answer.ok) throw relayErrorFromBody(typeof said === 'object' && said !== null && 'error' in said ? said.error : null);
  return loosely(schema).parse(said) as z.output<Schema>; // parsed by the schema that the type is inferred from
}

/** @throws RelayError. */
function orOlder(error: unknown): never {
  const isOlder = error instanceof RelayError && error.code === 'not_found';
  throw isOlder ? new RelayError('unsupported', 'This relay pairs no machines yet: update it', { cause: error }) : error;
}
