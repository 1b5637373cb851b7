import { type Hold, type OpenHold, RelayError } from 'agent-relay-protocol';
import type { HoldWrite, NewEvent, NewMessage } from './change.ts';
import type { Decision, SendFacts } from './facts.ts';
import type { Breach } from './loop-guard.ts';
import type { Draft } from './message.ts';
import { noticeTo } from './notices.ts';

/** How many messages of one sender are held at once; more are refused, which the sender learns at once. */
export const MAX_HELD_PER_SENDER = 100;
/** How many attempts of one hold are answered with what became of it, each under a key of its own; the hold counts all. */
const MAX_KEYS_PER_HOLD = 100;

export interface Held {
  /** The number that the message would have had; the event that tells of the hold has it instead. */
  readonly id: number;
  readonly draft: Draft;
  readonly breach: Breach;
  /** What makes another attempt the same as this one. */
  readonly attempt: NonNullable<HoldWrite['attempt']>;
}

/**
 * Keeps a message instead of sending it, and tells its sender, without beginning a turn: the answer to the send has said it already. The same
 * attempt joins the hold that is open.
 * @throws RelayError `rate_limited` when too many messages of the sender are held.
 */
export function holdMessage(facts: Pick<SendFacts, 'heldAlike' | 'openHolds'>, held: Held): Decision<Hold> {
  const { createdAt: at, from } = held.draft;
  const { digest, key } = held.attempt;
  const same = facts.heldAlike(digest);
  if (same) {
    const hold = { ...same, attempts: same.attempts + 1 };
    const isRemembered = key !== null && hold.attempts <= MAX_KEYS_PER_HOLD;
    return { answer: hold, change: { at, holds: [{ hold, attempt: null, ...(isRemembered ? { joinedUnder: key } : {}) }] } };
  }
  if (facts.openHolds() >= MAX_HELD_PER_SENDER) {
    throw new RelayError('rate_limited', `${MAX_HELD_PER_SENDER} messages of ${from} are held already: a person must look at them first`);
  }
  const hold = openHold(held);
  const payload = { type: 'message.held', holdId: hold.id, rule: hold.rule };
  const notice = noticeTo({ to: from, body: heldText(hold), about: null, payload, at, mode: 'fyi' });
  const events: readonly NewEvent[] = [{ type: 'message.held', at, hold }];
  return { answer: hold, change: { at, events, holds: [{ hold, attempt: held.attempt }], notices: [notice] } };
}

function openHold({ id, draft, breach }: Held): OpenHold {
  const { createdAt, expiresAt, ...said } = draft;
  const message = { ...said, ttlMs: expiresAt === null ? null : expiresAt - createdAt };
  return { id, ...breach, message, attempts: 1, heldAt: createdAt, status: 'held' };
}

/** What the sender of a held message gets instead of its number. */
export function heldError(hold: Hold): RelayError {
  const { id: holdId, rule, status } = hold;
  return new RelayError('message_held', hold.status === 'refused' ? refusedText(hold) : heldText(hold), {
    details: { holdId, rule, status },
  });
}

const heldText = ({ id, message, reason }: Hold): string =>
  `Your message to ${message.to} is held as ${id} and has not been sent: ${reason}. A person can release it; do not send it again.`;

function refusedText(hold: Extract<Hold, { status: 'refused' }>): string {
  const why = hold.because === null ? '' : `: ${hold.because}`;
  return `Your message to ${hold.message.to}, held as ${hold.id}, was refused by ${hold.decidedBy} and will not be sent${why}.`;
}

/** The message that a hold becomes. A person stands behind it now: it has no hops. */
export function releasedMessage({ message }: Hold, at: number): Draft {
  const { ttlMs, ...said } = message;
  return { ...said, hops: 0, createdAt: at, expiresAt: ttlMs === null ? null : at + ttlMs };
}

/** Tells the sender what became of what it sent. */
export function decisionNotice(hold: Exclude<Hold, OpenHold>): NewMessage {
  const { id, decidedAt: at, message } = hold;
  const isReleased = hold.status === 'released';
  const body = isReleased ? `Your message to ${message.to}, held as ${id}, was sent as message ${hold.messageId}.` : refusedText(hold);
  const payload = { type: isReleased ? 'message.released' : 'message.refused', holdId: id };
  return noticeTo({ to: message.from, body, about: isReleased ? hold.messageId : null, payload, at, mode: 'fyi' });
}
