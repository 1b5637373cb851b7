import type { Claim, MessageDetail } from 'agent-relay-client';
import { OWNER_AGENT_ID } from 'agent-relay-protocol';
import { type Command, useCommand } from '../../live/use-command.ts';

export interface MessageActs {
  readonly claim: Command<void, Claim>;
  readonly remove: Command<void, unknown>;
}

/** A message as it is, or will be once the relay has done what a person asks of it; as it was where the relay does not. */
export function useMessageActs(message: MessageDetail): MessageActs & { readonly message: MessageDetail } {
  const { id, createdAt, deletedAt } = message;
  const claim = useCommand((relay) => relay.messages.claim({ id, agentId: OWNER_AGENT_ID }));
  const remove = useCommand((relay) => relay.messages.remove({ id }));
  const isRemoved = remove.isPending || remove.output !== undefined;
  const expected = {
    ...message,
    ...(deletedAt === null && isRemoved && { body: '', deletedAt: createdAt }),
    claim: laterOf(message.claim, claim.output),
  };
  return { message: expected, claim, remove };
}

/** What was answered may be ahead of the log, until the log has come up to it. */
const laterOf = (told: Claim | null, answered: Claim | undefined): Claim | null =>
  answered !== undefined && answered.fence > (told?.fence ?? 0) ? answered : told;
