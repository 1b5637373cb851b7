import { RelayError, type Session, type StartSession } from 'agent-relay-protocol';

/** A session whose conversation its vendor keeps. */
export type ResumableSession = Session & { readonly vendorSessionId: string };

/**
 * The conversation that a new session goes on with: the newest of that agent which this provider keeps. An agent goes on with what it started itself.
 * @throws RelayError `not_found` when there is none.
 */
export function sessionToResume(
  { name, resumeFrom = name, provider }: Pick<StartSession, 'name' | 'provider' | 'resumeFrom'>,
  spawnedBy: string | null,
  earlier: readonly Session[],
): ResumableSession {
  const found = earlier.find(
    (session): session is ResumableSession =>
      session.vendorSessionId !== null && session.provider === provider && (spawnedBy === null || session.spawnedBy === spawnedBy),
  );
  if (!found)
    throw new RelayError('not_found', `${resumeFrom} has no conversation with ${provider} to go on with: start it without resuming`);
  return found;
}
