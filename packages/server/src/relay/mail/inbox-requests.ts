import type { InboxItem } from 'agent-relay-protocol';
import type { StreamTurn } from '../../events/stream-turn.ts';

export interface StreamRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly epoch: number;
  readonly window: number;
  readonly reportsHandOver: boolean;
  /** Throws when the deliverer's right to this mail has gone. */
  readonly mayStill: () => void;
  readonly signal: AbortSignal;
  readonly turn?: StreamTurn | undefined;
}

export interface PollRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly limit: number;
  readonly waitMs: number;
  /** The agent's own token: it may take what its node's stream has not handed over, and its lease is its epoch. */
  readonly isOwn: boolean;
  readonly signal: AbortSignal;
}

export interface PeekRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly limit: number;
  /** Only what was sent after this one. */
  readonly after: number;
}

export interface PeekedPage {
  readonly items: readonly InboxItem[];
  /** Where the next page begins; null when nothing more waits. */
  readonly next: number | null;
}

export interface TakeRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly messageId: number;
  readonly isOwn: boolean;
}
