import { z } from 'zod';
import { AgentIdSchema, lineOf, OpaqueIdSchema, TimestampSchema } from './primitives.ts';

/*
 * Programs that somebody started elsewhere and that dial the relay to be one of its agents. The relay finds out who they are; a machine that knows
 * their language fetches each of their links at the relay, and runs the session.
 */

/** Where Claude Code dials: the id of the agent follows, and a code where it has no token. */
export const CLAUDE_PATH = '/claude';
/** The kind of agent that dials there. */
export const DIALLING_PROVIDER = 'claude';
/** Where a machine fetches the link of a program that dialled in: the `linkId` follows. */
export const DIALLED_PATH = '/dialled';

/** One link that such a program opened. */
export const DialledSchema = z.object({
  linkId: OpaqueIdSchema.describe('Good once, for the machine that was told it'),
  url: lineOf(4096).describe('What it dialled, path and query, without the code'),
  lastRequestId: lineOf(256).optional().describe('Of a link that follows a drop: the last frame that it had sent'),
  byCode: z.boolean().optional().describe('A code let it in: it ends nobody who dialled in before'),
  relayUrl: z
    .string()
    .nullable()
    .describe("The relay's http(s) address as that program has it; null where it runs on the relay's own machine"),
});
export type Dialled = z.infer<typeof DialledSchema>;

export const RequestDialCodeSchema = z.strictObject({
  agent: AgentIdSchema.describe('Whom the program that uses the code becomes; it need not be registered yet'),
});

export const DialCodeSchema = z.object({
  code: z.string().describe('Shown once. Good for one session: whoever dials first with it, for as long as that session lasts'),
  path: z.string().describe('What to dial at the relay, e.g. /claude/Lead/ar_dial_…'),
  expiresAt: TimestampSchema.describe('Until when the session has to begin'),
});
export type DialCode = z.infer<typeof DialCodeSchema>;
