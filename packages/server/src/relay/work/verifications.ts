import { createHash } from 'node:crypto';
import type { Message } from 'agent-relay-protocol';
import { actAs } from '../../domain/act-as.ts';
import { isInAudience } from '../../domain/audience.ts';
import { agentOf } from '../../domain/scopes.ts';
import { verify } from '../../domain/verification.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { registered } from '../access/registered.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';

export interface VerificationRoutesDeps {
  readonly store: Pick<Store, 'agents' | 'messages'>;
  readonly readers: Readers;
}

/** What the relay knows of a message's origin, for whoever does not trust the words in front of it. */
export function verificationHandlers({ store, readers }: VerificationRoutesDeps): Pick<RelayHandlers, 'messages/verify'> {
  const rootOf = async (workspace: string, message: Message): Promise<Message | null> =>
    message.threadId === message.id ? message : ((await store.messages.get(workspace, message.threadId))?.message ?? null);

  return {
    'messages/verify': async ({ id, agentId }, { principal }) => {
      const { workspace } = principal;
      const asker = agentId ?? agentOf(principal);
      const agents = store.agents.index.in(workspace);
      const entry = asker === null ? undefined : agents.find(asker);
      if (asker !== null) actAs(agents, principal, asker);
      if (agentId !== undefined && agentId !== agentOf(principal)) registered(agents, agentId);
      const { message } = await readers.message(principal, id);
      return verify({
        message,
        root: await rootOf(workspace, message),
        isForYou: asker === null ? null : entry !== undefined && isInAudience(message, entry),
        bodySha256: createHash('sha256').update(message.body).digest('hex'),
      });
    },
  };
}
