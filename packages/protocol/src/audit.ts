import { z } from 'zod';
import { MessageIdSchema, TimestampSchema } from './primitives.ts';
import { PrincipalNameSchema } from './principal-name.ts';

const HashSchema = z.string().describe('SHA-256, in hexadecimal');

/** Who did what: one link of a chain, in which each entry holds the hash of the one before. */
export const AuditEntrySchema = z.object({
  id: MessageIdSchema.describe('Counts within the workspace, without a gap'),
  at: TimestampSchema,
  by: PrincipalNameSchema,
  tokenId: z.string().nullable().describe("The token that was shown; null for the owner's own credential and an integration's"),
  action: z.string().describe('The operation, as the API names it'),
  subject: z.string().nullable().describe('What it was about: the id of an agent, a token, a machine, a message'),
  details: z.record(z.string(), z.json()).describe('What else was asked, without texts and secrets'),
  hash: HashSchema,
});
export type AuditEntry = z.infer<typeof AuditEntrySchema>;

export const AuditVerdictSchema = z.object({
  sound: z.boolean(),
  checked: z.int().min(0).describe('How many entries'),
  from: z
    .object({ id: z.int().min(0), hash: HashSchema })
    .describe('Where the chain begins: the last entry that was pruned, or number 0 where none was'),
  head: z
    .object({ id: z.int().min(0), hash: HashSchema })
    .describe('The last entry: note it elsewhere, and a chain that was cut off is told as well'),
  broken: z
    .object({ id: MessageIdSchema, reason: z.string() })
    .nullable()
    .describe('The first entry that does not follow from the one before'),
});
export type AuditVerdict = z.infer<typeof AuditVerdictSchema>;
