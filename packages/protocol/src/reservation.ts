import { z } from 'zod';
import { LeaseMsSchema } from './claim.ts';
import { DEFAULT_LEASE_MS } from './limits.ts';
import { AgentIdSchema, lineOf, MessageIdSchema, TimestampSchema } from './primitives.ts';
import { isPlainFolder } from './standing-yes.ts';

/** Files below the folder: `*` and `?` within a name, `**` for any folders; a name that ends in `/` is all below it. */
export const FilePatternSchema = z
  .string()
  .min(1)
  .max(100)
  .refine(
    (text) => !/^\/|\\|[\p{Cc}\p{Zl}\p{Zp}]|(?:^|\/)\.{1,2}(?:\/|$)|\/\//u.test(text),
    'A pattern is relative, with / between names, and without . and ..',
  )
  .refine((text) => text.split('/').every((name) => name.split('*').length <= 5), 'A name in a pattern has at most 4 *')
  .meta({ examples: ['src/auth/'] });

/** Files that one agent has for itself for a while. A write on it names its id: one that is over cannot be renewed. */
export const ReservationSchema = z.object({
  id: MessageIdSchema.describe('Grows with every reservation: the fence of what it reserves'),
  agentId: AgentIdSchema,
  folder: z.string().describe('Absolute, as the machine of the agent calls it'),
  patterns: z.array(z.string()),
  enforced: z
    .boolean()
    .describe("Others' reservations of the same files are refused, and their questions whether they may edit them answered with no"),
  note: z.string().nullable(),
  createdAt: TimestampSchema,
  leaseExpiresAt: TimestampSchema,
  ended: z
    .enum(['released', 'expired', 'left'])
    .nullable()
    .describe('`left`: the session of its agent ended, or it was replaced or removed'),
  endedAt: TimestampSchema.nullable(),
});
export type Reservation = z.infer<typeof ReservationSchema>;

export const CreateReservationSchema = z.strictObject({
  folder: lineOf(1024)
    .refine(isPlainFolder, 'A folder is absolute, without . and ..')
    .meta({ examples: ['/home/me/project'] }),
  patterns: z.array(FilePatternSchema).min(1).max(8),
  enforced: z.boolean().optional().describe('Default false: others are told who has the files, and nobody is kept from them'),
  leaseMs: LeaseMsSchema.optional().describe(`Defaults to ${DEFAULT_LEASE_MS}`),
  note: lineOf(200).optional(),
});

/** What `touchedFiles` tells of one use of a tool, and as much again for where links lead that: a file may be called anything. */
const MOST_CHECKED = 32 * 1024;

export const CheckReservationsSchema = z.strictObject({
  agentId: AgentIdSchema.describe('Who is about to change them: its own reservations keep it from nothing'),
  kind: z.enum(['edit', 'execute', 'other']),
  cwd: z.string().max(4096).optional().describe('Where it works: an edit that names no file may be of any below'),
  files: z
    .array(z.string().min(1))
    .refine((files) => files.join('\n').length <= MOST_CHECKED, `must have at most ${MOST_CHECKED} characters together`)
    .optional()
    .describe('Absolute; of a command they may be patterns, and what ends in / is all below it. Absent where that cannot be told'),
});

export const NewReservationSchema = ReservationSchema.extend({
  conflicts: z.array(ReservationSchema).describe('What others have of the same files, without keeping anybody from them'),
  unheld: z
    .array(AgentIdSchema)
    .optional()
    .describe(
      'Of one that is enforced: agents that work there now, and are not asked before they change its files. Older relays do not say',
    ),
});
