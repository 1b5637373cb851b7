import type { Message } from 'agent-relay-protocol';

/** A conversation may hold mail of another relay, whose numbers mean something else: the time tells them apart. */
export const clientIdOfMail = ({ id, createdAt }: Message): string => `relay-${id}-${createdAt}`;
/** Null for what is no mail. */
export const messageIdOfMail = (clientId: string): number | null => {
  const [, digits] = /^relay-(\d{1,15})-\d{1,15}$/u.exec(clientId) ?? [];
  return digits === undefined ? null : Number(digits);
};
