import type { Message, OpenPair, Pair } from 'agent-relay-protocol';
import { quoted } from 'agent-relay-wire';
import type { Change, NewMessage } from './change.ts';
import type { Decision } from './facts.ts';
import { draftOf } from './message.ts';
import { noticeTo } from './notices.ts';
import { type EndedPair, endPair, openPairOf, type PairEnding, pairResource } from './pair.ts';
import { recordWrite } from './resource.ts';
import { type FollowFacts, leavingsOf } from './rule.ts';

/** Ends an open pair and tells those of its sides that did not do it. */
export function endPairChange(open: OpenPair, ending: PairEnding, at: number): Decision<EndedPair> {
  const pair = endPair(open, ending, at);
  const why =
    ending.reason === null
      ? `${ending.by} hung up`
      : ending.cause === 'hung_up'
        ? `${ending.by} hung up, saying ${quoted(ending.reason)}`
        : ending.reason;
  const body = open.status === 'active' ? `Pair ${pair.id} is over: ${why}.` : `The invitation to pair ${pair.id} is withdrawn: ${why}.`;
  const payload = { type: 'pair.ended', pairId: pair.id, cause: ending.cause };
  const others = [pair.requester, pair.target].filter((side) => side !== ending.by);
  const notices = others.map((to) => noticeTo({ to, body, about: pair.id, payload, at }));
  return { answer: pair, change: { at, events: [{ type: 'pair.ended', at, pair }], records: [recordWrite(pairResource, pair)], notices } };
}

/** The relay tells the side that asked what became of its invitation. */
export function answerNotice(pair: Pair, at: number): NewMessage {
  const { id, requester, target } = pair;
  const why = pair.status === 'rejected' && pair.reason !== null ? `, saying ${quoted(pair.reason)}` : '';
  const body =
    pair.status === 'rejected'
      ? `${target} declined pair ${id}${why}.`
      : `${target} accepted pair ${id}. What you send in the pair goes to ${target} alone: the tool relay_pair, or agent-relay pair send ${id} --from ${requester} --body "…". Hang up when you are done.`;
  const type = pair.status === 'rejected' ? 'pair.rejected' : 'pair.accepted';
  return noticeTo({ to: requester, body, about: id, payload: { type, pairId: id }, at });
}

/** The message that invites: from the requester, in words that say how to answer. It begins the thread of the pair. */
export function invitationOf(pair: OpenPair, sender: Message['sender']): NewMessage {
  const { id, requester, target, objective, requestedAt } = pair;
  const body = `${requester} invites you to pair ${id}, a live chat of just the two of you, about:
${objective}
Answer with the tool relay_pair (accept or reject, pairId ${id}), or with agent-relay pair accept ${id} --agent ${target}, or pair reject.`;
  const draft = draftOf({
    from: requester,
    to: `id:${target}`,
    body,
    kind: 'pair.invitation',
    meta: { pairId: id },
    sender,
    createdAt: requestedAt,
  });
  return { draft, matched: 1 };
}

/** The pair of an agent that leaves is over. */
export function endsPairs(facts: FollowFacts, change: Change): Change {
  let next = change;
  for (const { id, cause, reason } of leavingsOf(facts, change)) {
    const open = openPairOf(facts.records, id);
    if (open === null || next.records?.some((write) => write.resource === pairResource.name && write.id === open.id)) continue;
    const ended = endPairChange(open, { by: id, cause, reason }, change.at).change;
    next = {
      ...next,
      events: [...(next.events ?? []), ...(ended?.events ?? [])],
      records: [...(next.records ?? []), ...(ended?.records ?? [])],
      notices: [...(ended?.notices ?? []), ...(next.notices ?? [])],
    };
  }
  return next;
}
