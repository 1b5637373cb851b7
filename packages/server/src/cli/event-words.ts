import type { Claim, Pair, RelayEvent, RelayEventType } from 'agent-relay-protocol';
import { oneLine } from './terminal.ts';

/** What one event of the log is to people; `null` for what only machines want to see. */
export type EventWords<Type extends RelayEventType = RelayEventType> = {
  readonly [Name in Type]: (event: Extract<RelayEvent, { readonly type: Name }>) => string | null;
};

type Noun = RelayEventType extends infer Type ? (Type extends `${infer Name}.${string}` ? Name : never) : never;
export type WordsOf<Name extends Noun> = EventWords<Extract<RelayEventType, `${Name}.${string}`>>;
type With<Field extends string> = Extract<RelayEvent, { readonly [Name in Field]: unknown }>;

const unsaid = (): null => null;

const heldWords = ({ hold }: With<'hold'>): string => `held ${hold.id} ${hold.status}${reasonOf(hold)}`;

export const messageWords: WordsOf<'message'> = {
  'message.new': ({ message: { id, from, to, body } }) => `[msg:${id}] ${from} → ${to}: ${oneLine(body)}`,
  'message.read': unsaid,
  'message.deleted': ({ messageId }) => `[msg:${messageId}] deleted`,
  'message.dismissed': ({ messageId, by }) => `[msg:${messageId}] did not arrive, and ${oneLine(by)} knows`,
  'message.claimed': ({ claim }) => `${subject(claim)} claimed by ${claim.agentId}`,
  'message.held': ({ hold }) => `held ${hold.id}: ${hold.message.from} → ${hold.message.to}: ${hold.reason}`,
  'message.released': heldWords,
  'message.refused': heldWords,
};

const receiptWords = (event: Extract<RelayEvent, { readonly type: `delivery.${string}` }>): string =>
  `[msg:${event.messageId}] ${event.state} at ${event.agentId}${because(event)}`;

export const deliveryWords: WordsOf<'delivery'> = {
  'delivery.dispatched': receiptWords,
  'delivery.delivered': receiptWords,
  'delivery.seen': receiptWords,
  'delivery.answered': receiptWords,
  'delivery.failed': receiptWords,
  'delivery.expired': receiptWords,
};

const claimLine = ({ type, claim }: With<'claim'>): string =>
  `${subject(claim)} ${type.slice('claim.'.length)}: ${claim.agentId}${'reason' in claim ? reasonOf(claim) : ''}`;

export const claimWords: WordsOf<'claim' | 'work'> = {
  'work.available': ({ kind, subjectId, cause }) => `[${kind === 'message' ? 'msg' : 'task'}:${subjectId}] open for claims (${cause})`,
  'claim.renewed': unsaid,
  'claim.progressed': claimLine,
  'claim.completed': claimLine,
  'claim.released': claimLine,
  'claim.expired': claimLine,
  'claim.cancelled': claimLine,
};

const statusWords = ({ agent }: With<'agent'>): string => `${agent.id} is ${agent.status}`;

export const agentWords: WordsOf<'agent'> = {
  'agent.registered': statusWords,
  'agent.status': statusWords,
  'agent.updated': unsaid,
  'agent.woken': ({ agentId, sessionId, messageId, reason }) =>
    sessionId === null
      ? `message ${messageId} could not start ${agentId}: ${oneLine(reason ?? 'its machine did not say why', 300)}`
      : `message ${messageId} has started ${agentId}`,
  'agent.stalled': ({ agentId, waiting, cause, detail }) =>
    cause === 'turn' ? `${agentId} stands still: ${oneLine(detail ?? '', 300)}` : `${agentId} does not take its mail: ${waiting} waiting`,
  'agent.recovered': ({ agentId }) => `${agentId} has stalled no more`,
  'agent.removed': ({ agentId }) => `${agentId} removed`,
};

const nodeLine = ({ node }: With<'node'>): string => `node ${node.name} is ${node.status}`;

/** Who is alone in it is told by what it does. */
function steeringWords({ agentId, joined, controllers }: Extract<RelayEvent, { readonly type: 'controllers.updated' }>): string | null {
  const others = controllers.flatMap(({ by }) => (joined.includes(by) ? [] : [oneLine(by)]));
  if (joined.length === 0 || others.length === 0) return null;
  return `${agentId} is steered by ${joined.map((by) => oneLine(by)).join(', ')} too, beside ${others.join(', ')}`;
}

export const sessionWords: WordsOf<'session' | 'node' | 'controllers'> = {
  'session.started': ({ session: { agentId, provider, cwd } }) => `${agentId} started: ${provider}${cwd === null ? '' : ` in ${cwd}`}`,
  'session.updated': unsaid,
  'controllers.updated': steeringWords,
  'session.ended': ({ session }) => `${session.agentId} ${session.status}${reasonOf(session)}`,
  'node.connected': nodeLine,
  'node.disconnected': nodeLine,
  'node.updated': ({ node: { name, providers } }) =>
    `node ${name} can start ${providers.flatMap(({ id, available }) => (available ? [id] : [])).join(', ') || 'nothing'}`,
  'node.paired': ({ node: { name, nodeId }, by }) => `node ${name} (${nodeId}) was paired by ${oneLine(by)}`,
  'node.renamed': ({ node: { name, nodeId }, by }) => `node ${nodeId} is called ${name} now, says ${oneLine(by)}`,
  'node.removed': ({ node: { name, nodeId }, by }) => `node ${name} (${nodeId}) was removed by ${oneLine(by)}`,
};

export const approvalWords: WordsOf<'approval'> = {
  'approval.requested': ({ approval: { agentId, title, approvalId } }) =>
    `${agentId} asks: ${oneLine(title)} (agent-relay approve ${oneLine(approvalId)})`,
  'approval.resolved': ({ approval: { agentId, status, by, title, message } }) =>
    `${agentId}: ${status} by ${oneLine(by ?? '')}: ${oneLine(title)}${reasonOf({ reason: message })}`,
};

const taskLine = ({ task: { id, status, claimedBy, title } }: With<'task'>): string =>
  `[task:${id}] ${status}${claimedBy === null ? '' : ` (${claimedBy})`}: ${oneLine(title, 80)}`;

export const taskWords: WordsOf<'task' | 'callback'> = {
  'task.created': taskLine,
  'task.claimed': taskLine,
  'task.updated': taskLine,
  'task.released': taskLine,
  'task.completed': taskLine,
  'task.failed': taskLine,
  'task.canceled': taskLine,
  'task.repeated': unsaid,
  'callback.updated': ({ taskId, callbackId, integration, status }) =>
    status === 'dead' ? `[task:${taskId}] callback ${callbackId} to ${integration} is given up` : null,
};

export const pairWords: WordsOf<'pair'> = {
  'pair.requested': describePairEvent,
  'pair.accepted': describePairEvent,
  'pair.rejected': describePairEvent,
  'pair.ended': describePairEvent,
};

const bindingLine = ({ type, binding: { channelId, conversationId, target, mode } }: With<'binding'>): string =>
  `${channelId} conversation ${oneLine(conversationId, 80)} ${type === 'channel.bound' ? '→' : 'no longer →'} ${target} (${mode})`;

export const channelWords: WordsOf<'channel'> = { 'channel.bound': bindingLine, 'channel.unbound': bindingLine };

const tokenLine = ({ type, token: { name, tokenId, kind }, by }: With<'token'>): string =>
  `token ${name ?? tokenId} (${kind}) ${type.slice('token.'.length)}${by === null ? '' : ` by ${by}`}`;

export const tokenWords: WordsOf<'token'> = { 'token.created': tokenLine, 'token.revoked': tokenLine, 'token.expired': tokenLine };

function describePairEvent({ pair }: { readonly pair: Pair }): string {
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
