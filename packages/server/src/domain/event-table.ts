import type { RelayEvent, RelayEventType } from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import type { ReadRights } from './readership.ts';

/** What a reader may know of beside what everybody may, on the log as in lists. */
export interface ReaderRights extends ReadRights {
  /** Tokens are the owner's, and hooks. */
  readonly seesTokens: boolean;
  readonly seesApprovalsOf: (agentId: string | null) => boolean;
  readonly mayWatch: (agentId: string) => boolean;
}

/**
 * Who of those that had the message is concerned, beside the agents that are named: nobody, who sent it, or everybody who was offered it, whoever
 * did it.
 */
type Audience = 'nobody' | 'sender' | 'offered';

/** What an event is about, and for whom. */
interface EventRow<Event> {
  /** The message that it tells of and that was there before; null where there is none. */
  readonly about: (event: Event) => number | null;
  /** The agents that it names by id. */
  readonly agents: (event: Event) => readonly string[];
  readonly audience: Audience;
  /** Who may read it: everybody, who reads its message or as an agent that it names, or whom the rule lets. */
  readonly readers: 'everybody' | 'message' | ((event: Event, rights: ReaderRights) => boolean);
}

type EventOf<Type extends RelayEventType> = Extract<RelayEvent, { readonly type: Type }>;
type With<Field extends string> = Extract<RelayEvent, { readonly [Name in Field]: unknown }>;

const nothing = (): null => null;
const nobody = (): readonly string[] => [];

const holds: EventRow<With<'hold'>> = {
  about: nothing,
  agents: ({ hold }) => [hold.message.from],
  audience: 'nobody',
  readers: ({ hold }, rights) => rights.mayReadHold(hold),
};

const claims: EventRow<With<'claim'>> = {
  about: ({ messageId }) => messageId,
  agents: ({ claim }) => [claim.agentId],
  audience: 'nobody',
  readers: 'message',
};

const deliveries: EventRow<Extract<RelayEvent, { readonly type: `delivery.${string}` }>> = {
  about: ({ messageId }) => messageId,
  agents: ({ agentId, from }) => [agentId, from],
  audience: 'nobody',
  readers: ({ agentId, from, messageId }, { readsAs }) => readsAs(from, messageId) || readsAs(agentId, messageId),
};

/** A task has the id of the message that offers it. */
const tasks: EventRow<With<'task'>> = {
  about: ({ task }) => task.id,
  agents: ({ task }) => (task.claimedBy === null ? [task.source] : [task.source, task.claimedBy]),
  audience: 'offered',
  readers: ({ task }, rights) => rights.mayReadTask(task),
};

const pairs: EventRow<With<'pair'>> = {
  about: nothing,
  agents: ({ pair }) => [pair.requester, pair.target],
  audience: 'nobody',
  readers: ({ pair }, rights) => rights.mayReadPair(pair),
};

const approvals: EventRow<With<'approval'>> = {
  about: nothing,
  agents: ({ approval }) => [approval.agentId],
  audience: 'nobody',
  readers: ({ approval }, { seesApprovalsOf }) => seesApprovalsOf(approval.agentId),
};

const rules: EventRow<With<'rule'>> = {
  about: nothing,
  agents: ({ rule }) => (rule.agentId === null ? [] : [rule.agentId]),
  audience: 'nobody',
  readers: ({ rule }, { seesApprovalsOf }) => seesApprovalsOf(rule.agentId),
};

const tokens: EventRow<With<'token'>> = {
  about: nothing,
  agents: ({ token }) => (token.agentId === null ? [] : [token.agentId]),
  audience: 'nobody',
  readers: (_event, { seesTokens }) => seesTokens,
};

// Who there is, and where, everybody knows.
const cards: EventRow<With<'agent'>> = { about: nothing, agents: ({ agent }) => [agent.id], audience: 'nobody', readers: 'everybody' };
const absences: EventRow<EventOf<'agent.stalled' | 'agent.recovered' | 'agent.woken' | 'agent.removed'>> = {
  about: nothing,
  agents: ({ agentId }) => [agentId],
  audience: 'nobody',
  readers: 'everybody',
};
const sessions: EventRow<With<'session'>> = {
  about: nothing,
  agents: ({ session }) => [session.agentId],
  audience: 'nobody',
  readers: 'everybody',
};
const nodes: EventRow<With<'node'>> = { about: nothing, agents: nobody, audience: 'nobody', readers: 'everybody' };
const bindings: EventRow<With<'binding'>> = {
  about: nothing,
  agents: ({ binding: { channelId, target } }) => (isDirect(target) ? [channelId, target.slice(3)] : [channelId]),
  audience: 'nobody',
  readers: 'everybody',
};

const reservations: EventRow<With<'reservation'>> = {
  about: nothing,
  agents: ({ reservation }) => [reservation.agentId],
  audience: 'nobody',
  readers: 'everybody',
};

/** Every event that there is, once: filters, readers and the feed's queues follow from this table. */
const eventTable: { readonly [Type in RelayEventType]: EventRow<EventOf<Type>> } = {
  'message.new': {
    about: nothing,
    agents: ({ message: { from, to } }) => (isDirect(to) ? [from, to.slice(3)] : [from]),
    audience: 'offered',
    readers: 'message',
  },
  'message.read': { about: ({ messageId }) => messageId, agents: ({ agentId }) => [agentId], audience: 'sender', readers: 'message' },
  'message.deleted': { about: ({ messageId }) => messageId, agents: nobody, audience: 'offered', readers: 'message' },
  'message.dismissed': { about: ({ messageId }) => messageId, agents: nobody, audience: 'sender', readers: 'message' },
  'work.available': { about: ({ subjectId }) => subjectId, agents: nobody, audience: 'offered', readers: 'message' },
  'message.claimed': { ...claims, audience: 'offered' },
  'claim.renewed': claims,
  'claim.progressed': claims,
  'claim.completed': claims,
  'claim.released': claims,
  'claim.expired': claims,
  'claim.cancelled': claims,
  'message.held': holds,
  'message.released': holds,
  'message.refused': holds,
  'delivery.dispatched': deliveries,
  'delivery.delivered': deliveries,
  'delivery.seen': deliveries,
  'delivery.answered': deliveries,
  'delivery.failed': deliveries,
  'delivery.expired': deliveries,
  'agent.registered': cards,
  'agent.updated': cards,
  'agent.status': cards,
  'agent.stalled': absences,
  'agent.recovered': absences,
  'agent.woken': absences,
  'agent.removed': absences,
  'session.started': sessions,
  'session.updated': sessions,
  'session.ended': sessions,
  'controllers.updated': {
    about: nothing,
    agents: ({ agentId }) => [agentId],
    audience: 'nobody',
    readers: ({ agentId }, { mayWatch }) => mayWatch(agentId),
  },
  'approval.requested': approvals,
  'approval.resolved': approvals,
  'rule.created': rules,
  'rule.used': rules,
  'rule.ended': rules,
  'task.created': tasks,
  'task.repeated': tasks,
  'task.claimed': tasks,
  'task.updated': tasks,
  'task.released': tasks,
  'task.completed': tasks,
  'task.failed': tasks,
  'task.canceled': tasks,
  'pair.requested': pairs,
  'pair.accepted': pairs,
  'pair.rejected': pairs,
  'pair.ended': pairs,
  'channel.bound': bindings,
  'channel.unbound': bindings,
  'callback.updated': {
    about: nothing,
    agents: ({ integration }) => [integration],
    audience: 'nobody',
    readers: ({ integration, taskId }, { readsAs }) => readsAs(integration, taskId),
  },
  'node.connected': nodes,
  'node.disconnected': nodes,
  'node.updated': nodes,
  'node.paired': nodes,
  'node.renamed': nodes,
  'node.removed': nodes,
  'token.created': tokens,
  'token.revoked': tokens,
  'token.expired': tokens,
  'reservation.created': reservations,
  'reservation.ended': reservations,
  'hook.completed': {
    about: nothing,
    agents: ({ agentId }) => (agentId === null ? [] : [agentId]),
    audience: 'nobody',
    // What a hook does, and whereto, is its owner's.
    readers: (_event, { seesTokens }) => seesTokens,
  },
};

/** An event of a version that is newer than this program concerns nobody, and nobody reads it. */
const unknown: EventRow<RelayEvent> = { about: nothing, agents: nobody, audience: 'nobody', readers: () => false };

/** Looked up where an event is read: its row is made for events of its type. */
export const rowOf = ({ type }: Pick<RelayEvent, 'type'>): EventRow<RelayEvent> =>
  ((eventTable as Readonly<Record<string, EventRow<never>>>)[type] as EventRow<RelayEvent> | undefined) ?? unknown;
