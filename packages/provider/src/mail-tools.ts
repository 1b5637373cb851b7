import { z } from 'zod';

/** They answer about the agent's own doing, or with ids and states; never with what somebody wrote. */
const answersWithoutMail = new Set([
  'relay_reply',
  'relay_verify',
  'relay_agents',
  'relay_claim',
  'relay_complete',
  'relay_spawn',
  'relay_release',
]);
const Send = z.looseObject({ waitForAnswerMs: z.literal(0).optional() });
const Pair = z.looseObject({ action: z.enum(['invite', 'accept', 'reject', 'send', 'hangup']) });

/**
 * Whether a tool of the relay may answer with the words of others: from that answer on, mail is in the turn. True for a tool that this version
 * does not know.
 */
export function mayHandOutMail(tool: string, input: unknown): boolean {
  if (answersWithoutMail.has(tool)) return false;
  if (tool === 'relay_send') return !Send.safeParse(input).success;
  if (tool === 'relay_pair') return !Pair.safeParse(input).success;
  return true;
}

const saysThatThereIsNone = [
  /^No messages\.$/u,
  /^Your messages come into your session by themselves; there is nothing to fetch\.$/u,
  /^(?:Sent|Stored as) \[msg:\d+\][^\n]*\nNo answer yet\. It will reach you as a message\.$/u,
  /^You are in no pair\.$/u,
];

/** Whether such a tool's answer holds any: not when it is one of the relay's own sentences that say that there is none. */
export const holdsMail = (answer: string): boolean => !saysThatThereIsNone.some((sentence) => sentence.test(answer));
