import { RelayError, type Session } from 'agent-relay-protocol';
import type { BeginningFacts, Decision } from './facts.ts';
import { type Resource, recordKey, recordWrite } from './resource.ts';

/** Under which key a session was started. */
export interface StartKey {
  readonly id: number;
  /** Whose key it is: a token by its id, for another may come to have its name. */
  readonly by: string;
  /** Of the key: what callers write has spaces. */
  readonly key: string;
  readonly digest: string;
  readonly sessionId: string;
  /** Its start failed: the next one under this key is another. */
  readonly hasFailed: boolean;
}

/** What makes two starts the same. Key and content are digests. */
export type StartAttempt = Pick<StartKey, 'by' | 'key' | 'digest'>;

/** Under what a store finds it. */
export const startKeyOf = ({ by, key }: Pick<StartKey, 'by' | 'key'>): string => recordKey({ by: encodeURIComponent(by), key });

export const startKeyResource: Resource<StartKey> = {
  name: 'start-keys',
  read: (stored) => stored as StartKey, // nobody but this program writes it, and it has had no other form
  keys: () => [],
  exclusive: (record) => [startKeyOf(record)],
  isOpen: () => false,
};

/** It ended before its machine had it running, e.g. with the relay that started it. */
const cameToNothing = ({ status, runningSince, vendorSessionId }: Session): boolean =>
  (status === 'ended' || status === 'failed') && runningSince === undefined && vendorSessionId === null;

/**
 * The session of the start that came before, where that counts: one that never ran may be tried again.
 * @throws RelayError `idempotency_mismatch` when it was another one.
 */
export function repeated(earlier: StartKey | null, session: Session | null, { digest }: StartAttempt): Session | null {
  if (earlier === null || earlier.hasFailed || (session !== null && cameToNothing(session))) return null;
  if (earlier.digest === digest) return session;
  throw new RelayError('idempotency_mismatch', 'This idempotency key was used for a start that asked for something else');
}

/** Either begins a session, or is answered with the one that was begun under the same key. `keyId` is of the key that it was begun under now. */
export type Begun<New> =
  | { readonly isNew: false; readonly session: Session }
  | ({ readonly isNew: true; readonly keyId: number | null } & New);

/** @throws RelayError `idempotency_mismatch` when the key was used for another start; what `begin` throws. */
export function beginOnce<New extends { readonly session: Session }>(
  facts: BeginningFacts,
  attempt: StartAttempt | null,
  begin: () => Decision<New>,
): Decision<Begun<New>> {
  const earlier = attempt && (facts.records.under(startKeyResource, startKeyOf(attempt))[0] ?? null);
  const session = attempt && repeated(earlier, earlier && facts.session(earlier.sessionId), attempt);
  if (session) return { answer: { session, isNew: false }, change: null };
  const begun = begin();
  if (attempt === null || begun.change === null) return { answer: { ...begun.answer, isNew: true, keyId: null }, change: begun.change };
  const kept: StartKey = { ...attempt, id: earlier?.id ?? facts.nextId, sessionId: begun.answer.session.sessionId, hasFailed: false };
  return {
    answer: { ...begun.answer, isNew: true, keyId: kept.id },
    change: { ...begun.change, records: [...(begun.change.records ?? []), recordWrite(startKeyResource, kept)] },
  };
}

/** The start came to nothing. */
export const failedStart = (kept: StartKey | null, at: number): Decision<void> => ({
  answer: undefined,
  change: kept && { at, records: [recordWrite(startKeyResource, { ...kept, hasFailed: true })] },
});
