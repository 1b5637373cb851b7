import type { Message, RelayEvent } from 'agent-relay-protocol';
import { type ReaderRights, rowOf } from './event-table.ts';
import { nobody, type Participants } from './readership.ts';

/** The message an event is or tells of, as far as it was looked up, and who takes part in its thread. */
export interface About {
  readonly message: Message | null;
  readonly participants: Participants;
}

/** For an event of which nothing had to be looked up. */
export const unread: About = { message: null, participants: nobody };

/** Whether it takes the message that an event tells of, or its thread, to say who may read the event. */
export const isReadByMessage = (event: RelayEvent): boolean => rowOf(event).readers === 'message';

/** Whether a reader may have an event, whatever it asked for. */
export function mayReadEvent(event: RelayEvent, rights: ReaderRights, { message, participants }: About): boolean {
  const { readers, about, agents } = rowOf(event);
  if (readers === 'everybody') return true;
  if (readers !== 'message') return readers(event, rights);
  const id = about(event) ?? event.seq;
  return agents(event).some((agentId) => rights.readsAs(agentId, id)) || (message !== null && rights.mayRead(message, participants));
}
