import type { Claim, Pair, RelayEvent } from 'agent-relay-protocol';
import { clockTime, oneLine } from './terminal.ts';

/** One event of the log as a line for people; `null` for what only machines want to see. */
export function describeEvent(event: RelayEvent): string | null {
  const text = textOf(event);
  return text === null ? null : `${clockTime(event.at)}  ${text}`;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one case for each event that there is, and the compiler counts them
function textOf(event: RelayEvent): string | null {
  switch (event.type) {
    case 'message.new':
      return `[msg:${event.message.id}] ${event.message.from} → ${event.message.to}: ${oneLine(event.message.body)}`;
    case 'message.read':
      return null;
    case 'message.deleted':
      return `[msg:${event.messageId}] deleted`;
    case 'message.claimed':
      return `${subject(event.claim)} claimed by ${event.claim.agentId}`;
    case 'delivery.dispatched':
    case 'delivery.delivered':
    case 'delivery.seen':
    case 'delivery.answered':
    case 'delivery.failed':
    case 'delivery.expired':
      return `[msg:${event.messageId}] ${event.state} at ${event.agentId}${because(event)}`;
    case 'message.held':
      return `held ${event.hold.id}: ${event.hold.message.from} → ${event.hold.message.to}: ${event.hold.reason}`;
    case 'message.released':
    case 'message.refused':
      return `held ${event.hold.id} ${event.hold.status}${reasonOf(event.hold)}`;
    case 'work.available':
      return `[${event.kind === 'message' ? 'msg' : 'task'}:${event.subjectId}] open for claims (${event.cause})`;
    case 'claim.renewed':
      return null;
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      return `${subject(event.claim)} ${event.type.slice('claim.'.length)}: ${event.claim.agentId}${'reason' in event.claim ? reasonOf(event.claim) : ''}`;
    case 'agent.registered':
    case 'agent.status':
      return `${event.agent.id} is ${event.agent.status}`;
    case 'agent.updated':
      return null;
    case 'agent.stalled':
      return `${event.agentId} does not take its mail: ${event.waiting} waiting`;
    case 'agent.removed':
      return `${event.agentId} removed`;
    case 'session.started':
      return `${event.session.agentId} started: ${event.session.provider}${event.session.cwd === null ? '' : ` in ${event.session.cwd}`}`;
    case 'session.updated':
      return null;
    case 'session.ended':
      return `${event.session.agentId} ${event.session.status}${reasonOf(event.session)}`;
    case 'approval.requested':
      return `${event.approval.agentId} asks: ${oneLine(event.approval.title)} (agent-relay approve ${oneLine(event.approval.approvalId)})`;
    case 'approval.resolved':
      return `${event.approval.agentId}: ${event.approval.status} by ${oneLine(event.approval.by ?? '')}: ${oneLine(event.approval.title)}${reasonOf({ reason: event.approval.message })}`;
    case 'task.created':
    case 'task.claimed':
    case 'task.updated':
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
      return `[task:${event.task.id}] ${event.task.status}${event.task.claimedBy === null ? '' : ` (${event.task.claimedBy})`}: ${oneLine(event.task.title, 80)}`;
    case 'task.repeated':
      return null;
    case 'pair.requested':
    case 'pair.accepted':
    case 'pair.rejected':
    case 'pair.ended':
      return describePairEvent(event.pair);
    case 'channel.bound':
    case 'channel.unbound':
      return `${event.binding.channelId} conversation ${oneLine(event.binding.conversationId, 80)} ${event.type === 'channel.bound' ? '→' : 'no longer →'} ${event.binding.target} (${event.binding.mode})`;
    case 'callback.updated':
      return event.status === 'dead' ? `[task:${event.taskId}] callback ${event.callbackId} to ${event.integration} is given up` : null;
    case 'node.connected':
    case 'node.disconnected':
      return `node ${event.node.name} is ${event.node.status}`;
    case 'node.updated':
      return `node ${event.node.name} can start ${event.node.providers.flatMap(({ id, available }) => (available ? [id] : [])).join(', ') || 'nothing'}`;
    case 'token.created':
    case 'token.revoked':
    case 'token.expired':
      return `token ${event.token.name ?? event.token.tokenId} (${event.token.kind}) ${event.type.slice('token.'.length)}${event.by === null ? '' : ` by ${event.by}`}`;
  }
  // An event that is new here is a compile error; one that is newer than this program is passed over.
  event satisfies never;
  return null;
}

function describePairEvent(pair: Pair): string {
  const sides = `pair ${pair.id} of ${pair.requester} and ${pair.target}`;
  switch (pair.status) {
    case 'pending':
      return `${sides} requested: ${oneLine(pair.objective)}`;
    case 'active':
      return `${sides} is active`;
    case 'rejected':
    case 'ended':
      return `${sides} ${pair.status}${pair.reason === null ? '' : `: ${oneLine(pair.reason)}`}`;
  }
  const { status }: { readonly status: string } = pair satisfies never;
  return `${sides} is ${status}`;
}

const reasonOf = ({ reason }: { readonly reason: string | null }): string => (reason === null ? '' : `: ${oneLine(reason)}`);

const subject = ({ kind, subjectId }: Claim): string => `[${kind === 'message' ? 'msg' : 'task'}:${subjectId}]`;

function because({ evidence, reason, late }: { evidence: string | null; reason: string | null; late: boolean }): string {
  const parts = [...(evidence === null ? [] : [evidence]), ...(late ? ['late'] : []), ...(reason === null ? [] : [oneLine(reason)])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
