import type { ApprovalMode, DeliveryMode, SpawnMode } from 'agent-relay-protocol';
import type { PromptInput } from './contract.ts';

/** Whether a turn with this input is held to the session's `approval`. */
export const isMail = ({ isMail: said, messageIds }: Pick<PromptInput, 'isMail' | 'messageIds'>): boolean => said ?? messageIds.length > 0;

/** Whether mail may do less than the session's own prompts: then neither may lend the other its rights. */
export const isMailRestricted = (mode: SpawnMode, approval: ApprovalMode): boolean => approval !== 'open' && mode !== 'safe';

/**
 * How to hand a prompt over. Context that the model first reads in a person's turn would have that turn's rights, so where mail may do less an
 * `fyi` is `next`: it gets a turn of its own, with the rights of mail.
 */
export const deliveryOf = (
  input: Pick<PromptInput, 'isMail' | 'messageIds'>,
  asked: DeliveryMode,
  { mode, approval }: { readonly mode: SpawnMode; readonly approval: ApprovalMode },
): DeliveryMode => (asked === 'fyi' && isMail(input) && isMailRestricted(mode, approval) ? 'next' : asked);
