import type { PromptInput } from './contract.ts';

/** Whether a turn with this input is held to the session's `approval`. */
export const isMail = ({ isMail: said, messageIds }: Pick<PromptInput, 'isMail' | 'messageIds'>): boolean => said ?? messageIds.length > 0;
