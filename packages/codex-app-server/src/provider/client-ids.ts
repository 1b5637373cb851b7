import { randomUUID } from 'node:crypto';
import type { PromptInput } from 'agent-relay-provider';

/** The id under which Codex is handed a prompt, repeats it and keeps it. Relay mail goes again under its own, whatever session hands it over. */
export const clientIdOf = ({ messageIds }: Pick<PromptInput, 'messageIds'>, promptId: string = randomUUID()): string =>
  messageIds.length > 0 ? `relay-${promptId}` : `relay-own-${promptId}`;

/** Whether it is mail that a session of this provider left in Codex's queue. */
export const isMailOfASession = (clientId: string): boolean => /^relay-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/u.test(clientId);
