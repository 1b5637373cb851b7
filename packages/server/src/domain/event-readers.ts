import type { Message, RelayEvent } from 'agent-relay-protocol';
import type { Participants, ReadRights } from './readership.ts';

/** What a reader may know of beside what everybody may, on the log as in lists. */
export interface ReaderRights extends ReadRights {
  /** Tokens are the owner's. */
  readonly seesTokens: boolean;
  readonly seesApprovalsOf: (agentId: string) => boolean;
}

/** The message an event is or tells of, as far as it was looked up, and who takes part in its thread. */
export interface About {
  readonly message: Message | null;
  readonly participants: Participants;
}

/** Whether it takes the message that an event tells of, or its thread, to say who may read the event. */
export function isReadByMessage({ type }: RelayEvent): boolean {
  switch (type) {
    case 'message.new':
    case 'message.read':
    case 'message.claimed':
    case 'message.deleted':
    case 'work.available':
    case 'claim.renewed':
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      return true;
    default:
      return false;
  }
}

/** Whether a reader may have an event, whatever it asked for. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one case for each event that there is, and the compiler counts them
export function mayReadEvent(event: RelayEvent, rights: ReaderRights, { message, participants }: About): boolean {
  const { readsAs } = rights;
  const isReadable = () => message !== null && rights.mayRead(message, participants);
  switch (event.type) {
    case 'message.new':
    case 'message.deleted':
    case 'work.available':
      return isReadable();
    case 'message.read':
      return readsAs(event.agentId, event.messageId) || isReadable();
    case 'message.claimed':
    case 'claim.renewed':
    case 'claim.progressed':
    case 'claim.completed':
    case 'claim.released':
    case 'claim.expired':
    case 'claim.cancelled':
      return readsAs(event.claim.agentId, event.claim.subjectId) || isReadable();
    case 'message.held':
    case 'message.released':
    case 'message.refused':
      return rights.mayReadHold(event.hold);
    case 'delivery.dispatched':
    case 'delivery.delivered':
    case 'delivery.seen':
    case 'delivery.answered':
    case 'delivery.failed':
    case 'delivery.expired':
      return readsAs(event.from, event.messageId) || readsAs(event.agentId, event.messageId);
    case 'task.created':
    case 'task.repeated':
    case 'task.claimed':
    case 'task.updated':
    case 'task.released':
    case 'task.completed':
    case 'task.failed':
    case 'task.canceled':
      return rights.mayReadTask(event.task);
    case 'pair.requested':
    case 'pair.accepted':
    case 'pair.rejected':
    case 'pair.ended':
      return rights.mayReadPair(event.pair);
    case 'callback.updated':
      return readsAs(event.integration, event.taskId);
    case 'agent.registered':
    case 'agent.updated':
    case 'agent.status':
    case 'agent.stalled':
    case 'agent.removed':
    case 'session.started':
    case 'session.updated':
    case 'session.ended':
    case 'node.connected':
    case 'node.disconnected':
    case 'channel.bound':
    case 'channel.unbound':
      // Who there is, and where, everybody knows.
      return true;
    case 'approval.requested':
    case 'approval.resolved':
      return rights.seesApprovalsOf(event.approval.agentId);
    case 'token.created':
    case 'token.revoked':
    case 'token.expired':
      return rights.seesTokens;
  }
}
