import { createHash } from 'node:crypto';
import type { Scope } from 'agent-relay-protocol';

/** A system outside that may create work, as the relay's configuration names it. Its token is known by its hash alone. */
export interface IntegrationSettings {
  readonly name: string;
  readonly tokenHash: string;
  /** In characters. */
  readonly tokenLength: number;
  readonly scopes: readonly Scope[];
  /** Whom it may address; null for everybody. */
  readonly targets: readonly string[] | null;
  readonly channels: readonly string[] | null;
  readonly callbackUrl: string | null;
  /** What its callbacks are signed with. */
  readonly callbackKey: string;
}

/** A token as the relay keeps it. */
export const hashOfToken = (token: string): string => createHash('sha256').update(token).digest('hex');
