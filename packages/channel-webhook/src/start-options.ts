import type { RelayClient } from 'agent-relay-client';
import type { Log } from 'agent-relay-wire';

export interface WebhookOptions {
  readonly relay: RelayClient;
  /** The channel's agent id. */
  readonly id: string;
  /** What both sides sign with. */
  readonly secret: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where answers are posted; null makes a channel that only brings messages in. */
  readonly deliverTo: string | null;
  readonly log: Log;
  readonly clock: { now(): number };
  /** A number from 0 to 1: spreads retries. */
  readonly random: () => number;
  /** How long a message that nobody takes is tried. Default a day. */
  readonly giveUpAfterMs?: number;
  /** Gives up waiting for a relay that is away. */
  readonly signal: AbortSignal;
}
