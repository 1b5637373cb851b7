import { expireMessage } from '../../domain/expiry.ts';
import type { Store } from '../../store/store.ts';
import type { Inboxes } from '../mail/inboxes.ts';

type Decide = Parameters<Store['messages']['expire']>[2];

/** Ends the mail of one batch of messages, and takes it out of the inboxes that are open; answers what `expire` does. */
export async function endMail<Answer>(
  inboxes: Pick<Inboxes, 'wasHandedOver' | 'settle'>,
  expire: (decide: Decide) => Promise<Answer>,
  { reason, now }: { readonly reason: string; readonly now: number },
): Promise<Answer> {
  const gone: { workspace: string; id: number; agents: readonly string[] }[] = [];
  const answer = await expire((found, waiting, offer) => {
    const { workspace, message } = found;
    const wasHandedOver = (agentId: string) => inboxes.wasHandedOver(workspace, agentId, message.id);
    const { change, agents } = expireMessage(found, waiting, { reason, offer, wasHandedOver, now });
    gone.push({ workspace, id: message.id, agents });
    return change;
  });
  for (const { workspace, id, agents } of gone) for (const agentId of agents) inboxes.settle(workspace, agentId, [id]);
  return answer;
}
