import { expireMessage } from '../../domain/expiry.ts';
import type { DecideExpiry } from '../../store/store.ts';
import type { Inboxes } from '../mail/inboxes.ts';

/** Mail that ended: of which message, and whose it was. */
interface EndedMail {
  readonly workspace: string;
  readonly messageId: number;
  readonly agents: readonly string[];
}

/** Ends the mail of one batch of messages, and takes it out of the inboxes that are open; answers what `expire` does. */
export async function endMail<Batch extends { readonly answers: readonly EndedMail[] }>(
  inboxes: Pick<Inboxes, 'wasHandedOver' | 'settle'>,
  expire: (decide: DecideExpiry<EndedMail>) => Promise<Batch>,
  { reason, now }: { readonly reason: string; readonly now: number },
): Promise<Batch> {
  const batch = await expire((facts) => {
    const { workspace, message } = facts.found;
    const wasHandedOver = (agentId: string) => inboxes.wasHandedOver(workspace, agentId, message.id);
    const { answer: agents, change } = expireMessage(facts, { reason, wasHandedOver, now });
    return { answer: { workspace, messageId: message.id, agents }, change };
  });
  for (const { workspace, messageId, agents } of batch.answers)
    for (const agentId of agents) inboxes.settle(workspace, agentId, [messageId]);
  return batch;
}
