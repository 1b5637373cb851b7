import { type Claim, MAX_BODY_LENGTH, type Message, type Principal, principalName, RELAY_AGENT_ID } from 'agent-relay-protocol';
import { quoted } from 'agent-relay-wire';
import type { Change, NewMessage } from './change.ts';
import { advanceDelivery, type DeliveryRecord } from './delivery.ts';
import type { Directory } from './directory.ts';
import { hopsOf } from './loop-guard.ts';
import { draftOf } from './message.ts';
import { noticeTo } from './notices.ts';
import { relationOf } from './provenance.ts';

export interface Completion {
  readonly claim: Extract<Claim, { status: 'completed' }>;
  /** What offered the work. */
  readonly offer: Pick<Message, 'id' | 'from' | 'threadId' | 'hops'>;
  /** The holder's own copy of it; null when it is not among its recipients. */
  readonly copy: DeliveryRecord | null;
  readonly outcome: 'done' | 'failed';
  readonly principal: Principal;
  readonly now: number;
}

/**
 * What follows when offered work is done: its holder has answered the offer, whether or not it ever fetched its mail, and whoever offered it gets
 * the result as an answer. Nobody is written to who offered it without being there, or who did it themselves.
 */
export function completionChange(completion: Completion, agents: Directory): Required<Pick<Change, 'deliveries' | 'notices'>> {
  const { claim, offer, copy, now } = completion;
  const next = copy && advanceDelivery(copy, { state: 'answered', evidence: 'reply' }, now);
  const deliveries = next ? [{ messageId: offer.id, agentId: claim.agentId, from: offer.from, next, tell: true }] : [];
  return { deliveries, notices: isHeard(completion, agents) ? [resultMessage(completion, agents)] : [] };
}

const isHeard = ({ claim, offer }: Completion, agents: Directory): boolean =>
  offer.from !== claim.agentId && offer.from !== RELAY_AGENT_ID && agents.find(offer.from)?.agent != null;

/** From the holder and not from the relay: what it found out is its own word. */
function resultMessage({ claim, offer, outcome, principal, now }: Completion, agents: Directory): NewMessage {
  const from = claim.agentId;
  const kind = agents.find(from)?.agent?.kind ?? null;
  const recipientSpawnedBy = agents.find(offer.from)?.spawnedBy ?? null;
  const relation = relationOf({ principal, from, kind, recipientSpawnedBy });
  const draft = draftOf({
    from,
    to: `id:${offer.from}`,
    body: textOf(claim.result, outcome),
    kind: 'result',
    replyTo: offer.id,
    threadId: offer.threadId,
    payload: { type: 'claim.completed', claimId: claim.claimId, outcome },
    sender: { relation, principal: principalName(principal) },
    hops: hopsOf(relation, offer),
    createdAt: now,
  });
  return { draft, matched: 1 };
}

function textOf(result: Completion['claim']['result'], outcome: Completion['outcome']): string {
  const said = outcome === 'done' ? 'Done' : 'Failed';
  if (result === null || result === '') return `${said}, without a result.`;
  const text = typeof result === 'string' ? result : JSON.stringify(result, null, 2);
  const whole = outcome === 'done' ? text : `Failed: ${text}`;
  return whole.length <= MAX_BODY_LENGTH ? whole : `${whole.slice(0, MAX_BODY_LENGTH - 1).toWellFormed()}…`;
}

/** Tells a holder that whoever offered its work has it back. */
export function takenBackNotice(
  { claimId, agentId, fence, kind, subjectId }: Claim,
  { by, reason, at }: { readonly by: string; readonly reason: string | null; readonly at: number },
): NewMessage {
  const why = reason === null ? '' : `, saying ${quoted(reason)}`;
  const body = `${by} took ${kind} ${subjectId} back${why}: stop working on it. A result from you would be refused.`;
  return noticeTo({ to: agentId, body, about: subjectId, payload: { type: 'claim.released', claimId, fence, by }, at });
}
