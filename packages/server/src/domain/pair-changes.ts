import type { Message, OpenPair, Pair, PairEndCause } from 'agent-relay-protocol';
import { quoted } from 'agent-relay-wire';
import type { AgentFound, Change, NewMessage } from './change.ts';
import { releaseAll } from './claim-changes.ts';
import { noticeTo } from './notices.ts';
import { type EndedPair, endPair, type PairEnding } from './pair.ts';

/** Ends an open pair and tells those of its sides that did not do it. */
export function endPairChange(open: OpenPair, ending: PairEnding, now: number): { readonly pair: EndedPair; readonly change: Change } {
  const pair = endPair(open, ending, now);
  const why =
    ending.reason === null
      ? `${ending.by} hung up`
      : ending.cause === 'hung_up'
        ? `${ending.by} hung up, saying ${quoted(ending.reason)}`
        : ending.reason;
  const body = open.status === 'active' ? `Pair ${pair.id} is over: ${why}.` : `The invitation to pair ${pair.id} is withdrawn: ${why}.`;
  const payload = { type: 'pair.ended', pairId: pair.id, cause: ending.cause };
  const others = [pair.requester, pair.target].filter((side) => side !== ending.by);
  return {
    pair,
    change: {
      pairs: [pair],
      events: [{ type: 'pair.ended', at: now, pair }],
      messages: others.map((to) => noticeTo({ to, body, about: pair.id, payload, at: now })),
    },
  };
}

/** What an agent gives up when it is no longer there as who it was: the work it held and the pair it was in. */
export function leaveAll(
  { heldClaims, pair }: Pick<AgentFound, 'heldClaims' | 'pair'>,
  by: string,
  cause: PairEndCause,
  reason: string,
  now: number,
): Required<Pick<Change, 'claims' | 'pairs' | 'events' | 'messages'>> {
  const released = releaseAll(heldClaims, reason, now);
  const ended = pair === null ? {} : endPairChange(pair, { by, cause, reason }, now).change;
  return {
    claims: released.claims,
    events: [...released.events, ...(ended.events ?? [])],
    pairs: ended.pairs ?? [],
    messages: ended.messages ?? [],
  };
}

/** The relay tells the side that asked what became of its invitation. */
export function answerNotice(pair: Pair, at: number): (id: number) => NewMessage {
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
  return {
    matched: 1,
    message: {
      id,
      from: requester,
      to: `id:${target}`,
      body,
      subject: null,
      channel: null,
      kind: 'pair.invitation',
      claimable: false,
      replyTo: null,
      threadId: id,
      mode: 'next',
      expiresAt: null,
      payload: null,
      meta: { pairId: id },
      sender,
      hops: 0,
      createdAt: requestedAt,
      deletedAt: null,
    },
  };
}
