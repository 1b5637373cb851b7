// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of hooks, which no template fills
import { z } from 'zod';
import { HookSchema } from './hook.ts';
import { relayTriggers } from './hook-triggers.ts';
import { relayHookFaults } from './hooks-file.ts';
import { DeliveryModeSchema } from './message.ts';
import { AddressSchema, LabelSchema, lineOf } from './primitives.ts';

/** Stands for a secret that is not said: the one that there is, or one that the relay makes. */
const UNSAID = 'not-said-here';

/** One of the relay's own hooks, as it is to be: a message (`relay`) or a signed post (`webhook`). */
export const SetHookSchema = z
  .strictObject({
    replaces: lineOf(300).optional().describe("The name of the relay's hook whose place it takes; left out, it is one more"),
    name: LabelSchema.optional().describe('How it is listed; left out, its place in the file'),
    trigger: z.enum(relayTriggers),
    relay: AddressSchema.optional().describe('Whom it writes to'),
    body: z.string().optional().describe('What it writes, with placeholders such as `${agent}`; left out, what happened in a sentence'),
    mode: DeliveryModeSchema.optional(),
    webhook: z.string().optional().describe('The http or https address it posts to'),
    secret: z
      .string()
      .optional()
      .describe('What posts are signed with, 8 to 512 characters; left out, that of the post which it replaces, else one is made'),
  })
  .superRefine(({ replaces: _replaces, trigger, ...action }, context) => {
    const whole = action.webhook === undefined ? action : { ...action, secret: action.secret ?? UNSAID };
    for (const fault of relayHookFaults(trigger, whole)) context.addIssue({ code: 'custom', ...fault });
  });
export type SetHook = z.output<typeof SetHookSchema>;

export const HookSetSchema = z.object({
  hook: HookSchema,
  secret: z.string().optional().describe('Where the relay has made it: shown this once'),
});

export const RemoveHookSchema = z.strictObject({ name: lineOf(300).describe("Of one of the relay's own, as the list of hooks has it") });
