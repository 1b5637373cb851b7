import type { Message } from 'agent-relay-protocol';
import type { Participants } from '../domain/readership.ts';

/** Decides about a message of a page; `participants` looks up those of its thread. */
export type ReadDecision = (message: Message, participants: () => Participants) => boolean;

/** What a list is narrowed to before it is cut to its limit; absent where everything may be read. */
export interface Reading {
  /** Whoever reads as one agent only: what cannot concern it is passed over unread. */
  readonly as: string | null;
  readonly mayRead: ReadDecision;
}
