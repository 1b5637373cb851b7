import { z } from 'zod';
import { RECENT_HOOK_RUNS } from './hook-limits.ts';
import { machineTriggers, relayOnlyTriggers } from './hook-triggers.ts';
import { DeliveryModeSchema } from './message.ts';
import { LabelSchema, lineOf, OpaqueIdSchema, TimestampSchema } from './primitives.ts';

/**
 * `approval_needed` tells that a person is needed: what a rule, a reservation or a hook has answered within this time sets nothing off. A hook that answers
 * itself begins at once.
 */
export const ANSWERED_AT_ONCE_MS = 1_000;

export const HookTriggerSchema = z.enum([...machineTriggers, ...relayOnlyTriggers]);
export type HookTrigger = z.infer<typeof HookTriggerSchema>;

export const HookActionSchema = z.enum(['command', 'relay', 'webhook', 'notify', 'approve']);
export type HookActionType = z.infer<typeof HookActionSchema>;

/** What became of one run of a hook. `skipped`: it would have fed itself, or too many waited before it. */
export const HookOutcomeSchema = z.enum(['succeeded', 'failed', 'timed_out', 'skipped']);
export type HookOutcome = z.infer<typeof HookOutcomeSchema>;

/** How much of a command's output is kept, in characters: the end of it. */
export const HOOK_OUTPUT_LENGTH = 4_000;

/** One run of a hook, as it is told of. */
export const hookRunFields = {
  hook: z.string().min(1).max(300).describe('Its name, or its place in the configuration'),
  trigger: z.string().min(1).max(64).describe('What set it off, such as `file_change`; a newer machine may know more'),
  action: z.string().min(1).max(64).describe('`command`, `relay`, `webhook`, `notify` or `approve`'),
  outcome: HookOutcomeSchema,
  durationMs: z.number().min(0),
  exitCode: z.int().optional().describe('Of a command that ended'),
  output: z.string().optional().describe('The end of what a command wrote'),
  detail: z.string().max(1000).optional().describe('Why it failed or was skipped, or what it did'),
};
export const HookResultSchema = z.object(hookRunFields);
export type HookResult = z.infer<typeof HookResultSchema>;

/** A run as it is remembered where it happened, until that program ends. */
export const RecentHookResultSchema = HookResultSchema.extend({
  at: TimestampSchema,
  agentId: z.string().max(128).nullable(),
  isTrial: z.boolean().optional().describe('Somebody tried it: nothing had happened'),
});
export type RecentHookResult = z.infer<typeof RecentHookResultSchema>;

/** The kind of mail that hooks send. A turn that such mail began sets off no hook that sends mail. */
export const HOOK_MESSAGE_KIND = 'hook';

/** A hook as its owner is shown it: what a machine, or the relay itself, holds in its own configuration. */
export const HookSchema = z.object({
  nodeId: OpaqueIdSchema.nullable().describe("The machine that runs it; null for the relay's own"),
  name: z.string().min(1).max(300),
  agents: z.string().min(1).max(200).describe('`*`, a provider, `agent:<id>`, or `relay`'),
  trigger: z.string().min(1).max(64),
  action: z.string().min(1).max(64),
  does: z.string().max(1000).describe('The command, the address, the URL without its query, or the text'),
  body: z.string().optional().describe('Of a message that the relay itself sends: what it says, placeholders and all'),
  mode: DeliveryModeSchema.optional().describe('Of such a message, where it is said'),
});
export type Hook = z.infer<typeof HookSchema>;

/** What a machine says of its hooks. */
export const NodeHooksSchema = z.object({
  hooks: z.array(HookSchema.omit({ nodeId: true })).max(1000),
  file: z.string().nullable().describe('Where they are written down; null where there is no such file'),
  fault: z.string().max(2000).nullable().describe('Why the file as it is now is not followed: the line and the key'),
  recent: z
    .array(RecentHookResultSchema)
    .max(RECENT_HOOK_RUNS)
    .describe('Its last runs since it started, oldest first; each is in the log of its agent too'),
});
export type NodeHooks = z.infer<typeof NodeHooksSchema>;

/** What a hook is tried with: fields as the trigger has them, by name. */
export const HookFieldsSchema = z
  .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,31}$/u, 'A field is a word'), z.string().max(8_000))
  .refine((fields) => Object.keys(fields).length <= 32, 'At most 32 fields');

export const TestHookSchema = z.strictObject({
  name: lineOf(300).describe('As the list of hooks has it'),
  node: LabelSchema.optional().describe(
    'The machine that runs it, by id or name; left out, the only one that has such a hook, or the relay',
  ),
  fields: HookFieldsSchema.optional().describe('What its placeholders stand for; what is left out is an example'),
});
