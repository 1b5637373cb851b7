import { z } from 'zod';

/** They answer about the agent's own doing, or with ids and states; never with what somebody wrote. */
const answersWithoutMail = new Set([
  'relay_reply',
  'relay_verify',
  'relay_agents',
  'relay_claim',
  'relay_complete',
  'relay_status',
  'relay_spawn',
  'relay_interrupt',
  'relay_release',
]);
const Send = z.looseObject({ waitForAnswerMs: z.literal(0).optional() });
/** Of the tools that are several in one, what answers without. */
const actionsWithoutMail: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries({
    relay_pair: ['invite', 'accept', 'reject', 'send', 'hangup'],
    relay_work: ['progress', 'renew', 'release'],
    relay_reserve: ['reserve', 'renew', 'release'],
  }).map(([tool, actions]) => [tool, z.looseObject({ action: z.enum(actions) })]),
);

/**
 * Whether a tool of the relay may answer with the words of others: from that answer on, mail is in the turn. True for a tool that this version
 * does not know.
 */
export function mayHandOutMail(tool: string, input: unknown): boolean {
  if (answersWithoutMail.has(tool)) return false;
  if (tool === 'relay_send') return !Send.safeParse(input).success;
  return !actionsWithoutMail.get(tool)?.safeParse(input).success;
}

const saysThatThereIsNone = [
  /^No messages\.$/u,
  /^Your messages come into your session by themselves; there is nothing to fetch\.$/u,
  /^(?:Sent|Stored as) \[msg:\d+\][^\n]*\nNo answer yet\. It will reach you as a message\.$/u,
  /^You are in no pair\.$/u,
  /^Nothing found\.$/u,
  /^No work is open for you\.$/u,
  /^Nobody has reserved anything of it\.$/u,
];

/** Whether such a tool's answer holds any: not when it is one of the relay's own sentences that say that there is none. */
export const holdsMail = (answer: string): boolean => !saysThatThereIsNone.some((sentence) => sentence.test(answer));
