import type { Message } from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import type { Change, DeliveryFound, DeliveryWrite, NewEvent } from './change.ts';
import { advanceDelivery } from './delivery.ts';
import type { Decision, ExpiryFacts, OfferedWork } from './facts.ts';
import { isNotice, noticeTo } from './notices.ts';

export interface ExpiryTerms {
  readonly reason: string;
  readonly wasHandedOver: (agentId: string) => boolean;
  readonly now: number;
}

/** What an expired message offered: work that nobody ever claimed, work that somebody did, or none. */
type ExpiredOffer = 'unclaimed' | 'claimed' | 'none';

/**
 * Ends the copies of a message that nobody was handed: one event and one notice with their count, whatever their number. Only a direct copy
 * is written down; a fan-out recipient without a row has expired with its message. Work that nobody has claimed in time nobody may claim any
 * more; who offered work that somebody took hears of that one instead. Answers whose mail it was.
 */
export function expireMessage(facts: ExpiryFacts, { reason, wasHandedOver, now }: ExpiryTerms): Decision<readonly string[]> {
  const { message } = facts.found;
  const offer = offerOf(facts.work);
  const expired = facts.waiting.filter(({ agentId }) => !wasHandedOver(agentId));
  const [first] = expired;
  const isTold = !isNotice(message) && offer !== 'claimed' && (first !== undefined || offer === 'unclaimed');
  const notices = isTold ? [noticeTo({ to: message.from, ...wording(message, expired, offer), about: message.id, at: now })] : [];
  const closedWork: Change['closedWork'] = offer === 'unclaimed' ? [{ kind: 'message', subjectId: message.id }] : [];
  if (!first) return { answer: [], change: { at: now, closedWork, notices } };
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
  return { answer: expired.map(({ agentId }) => agentId), change: { at: now, events: [event], closedWork, deliveries, notices } };
}

/** What was claimed goes on, or is offered again; a task is its source's to end. */
function offerOf(work: OfferedWork | null): ExpiredOffer {
  if (work?.kind !== 'message' || (work.status === 'closed' && work.fence === 0)) return 'none';
  return work.status === 'open' && work.fence === 0 ? 'unclaimed' : 'claimed';
}

function wording(message: Message, expired: readonly DeliveryFound[], offer: ExpiredOffer) {
  const count = expired.length;
  const told = { type: 'delivery.expired', count, to: message.to };
  if (offer === 'unclaimed') return { body: `Message ${message.id} expired before anybody claimed it.`, payload: { ...told, offer } };
  const whom = count === 1 ? expired[0]?.agentId : `${count} recipients`;
  return { body: `Message ${message.id} expired before it reached ${whom}.`, payload: told };
}
