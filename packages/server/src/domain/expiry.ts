import type { Message } from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import type { Change, DeliveryFound, DeliveryWrite, ExpiredOffer, NewEvent, StoredMessage } from './change.ts';
import { advanceDelivery } from './delivery.ts';
import { isNotice, noticeTo } from './notices.ts';

export interface ExpiryTerms {
  readonly reason: string;
  readonly offer: ExpiredOffer;
  readonly wasHandedOver: (agentId: string) => boolean;
  readonly now: number;
}

/**
 * Ends the copies of a message that nobody was handed: one event and one notice with their count, whatever their number. Only a direct copy
 * is written down; a fan-out recipient without a row has expired with its message. Who offered work that somebody took hears of that one instead.
 */
export function expireMessage(
  { message }: StoredMessage,
  waiting: readonly DeliveryFound[],
  { reason, offer, wasHandedOver, now }: ExpiryTerms,
): { readonly change: Change; readonly agents: readonly string[] } {
  const expired = waiting.filter(({ agentId }) => !wasHandedOver(agentId));
  const [first] = expired;
  const isTold = !isNotice(message) && offer !== 'claimed' && (first !== undefined || offer === 'unclaimed');
  const messages = isTold ? [noticeTo({ to: message.from, ...wording(message, expired, offer), about: message.id, at: now })] : [];
  if (!first) return { change: { messages }, agents: [] };
  const deliveries = expired.flatMap(({ agentId, record }): DeliveryWrite[] => {
    const next = advanceDelivery(record, { state: 'expired', reason }, now);
    return next && isDirect(message.to) ? [{ messageId: message.id, agentId, from: message.from, next, tell: false }] : [];
  });
  const event: NewEvent = {
    type: 'delivery.expired',
    at: now,
    messageId: message.id,
    agentId: first.agentId,
    from: message.from,
    state: 'expired',
    evidence: null,
    late: false,
    reason,
    count: expired.length,
  };
  return { change: { deliveries, events: [event], messages }, agents: expired.map(({ agentId }) => agentId) };
}

function wording(message: Message, expired: readonly DeliveryFound[], offer: ExpiredOffer) {
  const count = expired.length;
  const told = { type: 'delivery.expired', count, to: message.to };
  if (offer === 'unclaimed') return { body: `Message ${message.id} expired before anybody claimed it.`, payload: { ...told, offer } };
  const whom = count === 1 ? expired[0]?.agentId : `${count} recipients`;
  return { body: `Message ${message.id} expired before it reached ${whom}.`, payload: told };
}
