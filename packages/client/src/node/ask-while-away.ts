import { RelayError } from 'agent-relay-protocol';
import { Pauses } from 'agent-relay-wire';

/** How one attempt to ask went. `refused`: the relay has not had it. `lost`: it may have. */
export type Attempt<Answer> = { readonly type: 'answered'; readonly answer: Answer } | { readonly type: 'refused' | 'lost' };

/** What came of asking; without an answer, whether it may have been done all the same is what whoever asked has to know. */
export type AskOutcome<Answer> =
  | { readonly type: 'answered'; readonly answer: Answer }
  | { readonly type: 'given-up'; readonly mayHaveHappened: boolean };

export interface AskWhileAwayOptions {
  /** Asking twice is asking once. */
  readonly isRepeatable: boolean;
  /** Looked at after each attempt that failed: whether to go on. */
  readonly isPatient: () => boolean;
  /** Gives up with its reason. */
  readonly signal?: AbortSignal;
  /** The first pause between two attempts, in ms. Default 50; they grow to a second. */
  readonly initialMs?: number;
}

/**
 * Asks a relay that may be away, for callers that cannot ask again: what it surely has not had is asked again, and what it may have had only where that
 * does no harm. Rejects with what `attempt` throws, and with the signal's reason.
 */
export async function askWhileAway<Answer>(
  attempt: () => Promise<Attempt<Answer>>,
  { isRepeatable, isPatient, signal, initialMs = 50 }: AskWhileAwayOptions,
): Promise<AskOutcome<Answer>> {
  const pauses = new Pauses({ initialMs, maxMs: 1_000 });
  for (let mayHaveHappened = false; ; ) {
    const outcome = await attempt();
    signal?.throwIfAborted();
    if (outcome.type === 'answered') return outcome;
    mayHaveHappened ||= outcome.type === 'lost';
    if (!isPatient() || (mayHaveHappened && !isRepeatable)) return { type: 'given-up', mayHaveHappened };
    await pauses.take({ signal });
    signal?.throwIfAborted();
  }
}

/** Of what `fetch` failed with: nobody listened, or nobody who may have it; not a byte of it was taken. */
export function neverArrived(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause instanceof RelayError) return true;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}
