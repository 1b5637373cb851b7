import { type Hold, type Message, type OpenHold, RelayError } from 'agent-relay-protocol';
import type { NewHold, NewMessage } from './change.ts';
import type { Breach } from './loop-guard.ts';
import { noticeTo } from './notices.ts';

/** Keeps a message instead of sending it, and tells its sender, without beginning a turn: the answer to the send has said it already. */
export function holdOf(message: Message, breach: Breach, digest: string): NewHold {
  const { id, threadId, createdAt: at, expiresAt, deletedAt: _deletedAt, ...said } = message;
  const hold: OpenHold = {
    id,
    ...breach,
    message: { ...said, threadId: threadId === id ? null : threadId, ttlMs: expiresAt === null ? null : expiresAt - at },
    attempts: 1,
    heldAt: at,
    status: 'held',
  };
  const payload = { type: 'message.held', holdId: id, rule: breach.rule };
  const notice = noticeTo({ to: message.from, body: heldText(hold), about: null, payload, at, mode: 'fyi' });
  return { hold, digest, change: { messages: [notice] } };
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
export function releasedMessage({ message }: Hold, id: number, at: number): Message {
  const { threadId, ttlMs, ...said } = message;
  return { ...said, id, hops: 0, threadId: threadId ?? id, createdAt: at, expiresAt: ttlMs === null ? null : at + ttlMs, deletedAt: null };
}

/** Tells the sender what became of what it sent. */
export function decisionNotice(hold: Exclude<Hold, OpenHold>): (id: number) => NewMessage {
  const { id, decidedAt: at, message } = hold;
  const isReleased = hold.status === 'released';
  const body = isReleased ? `Your message to ${message.to}, held as ${id}, was sent as message ${hold.messageId}.` : refusedText(hold);
  const payload = { type: isReleased ? 'message.released' : 'message.refused', holdId: id };
  return noticeTo({ to: message.from, body, about: isReleased ? hold.messageId : null, payload, at, mode: 'fyi' });
}
