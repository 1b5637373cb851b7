import { RelayError } from 'agent-relay-protocol';
import type { TokenRecord } from './change.ts';

export const tokenEnded = (): RelayError => new RelayError('unauthorized', 'The token was revoked, has run out, or its session has ended');

/** Whether a token is good, as the store has it; null when it has gone. @throws RelayError `unauthorized`. */
export function assertLives(token: Pick<TokenRecord, 'expiresAt'> | null, now: number): void {
  if (token === null || (token.expiresAt !== null && token.expiresAt <= now)) throw tokenEnded();
}
