import { z } from 'zod';
import { HookResultSchema, HookSchema, NodeHooksSchema, TestHookSchema } from '../hook.ts';
import { LabelSchema, OpaqueIdSchema } from '../primitives.ts';
import { route } from '../route.ts';
import { HookSetSchema, RemoveHookSchema, SetHookSchema } from '../set-hook.ts';

/** How long machines may take to say what they have. */
export const HOOKS_LIST_MS = 5_000;
/** How long a hook that is tried may take. */
export const HOOK_TEST_MS = 60_000;

/** Routes of the table. */
export const hookRoutes = {
  'hooks/describe': route({
    method: 'GET',
    path: '/hooks',
    scope: '*',
    anonymous: false,
    summary: 'What connected machines, and the relay itself, do when something happens to agents; for the owner',
    input: z.strictObject({}),
    output: z.object({
      hooks: z.array(HookSchema),
      sources: z
        .array(
          NodeHooksSchema.omit({ hooks: true }).extend({
            nodeId: OpaqueIdSchema.nullable().describe("Null for the relay's own"),
            name: LabelSchema,
          }),
        )
        .describe('Whose configuration was asked; an offline machine, and one of an earlier version, is not among them'),
    }),
    wait: { ms: HOOKS_LIST_MS },
  }),
  'hooks/test': route({
    method: 'POST',
    path: '/hooks/test',
    scope: '*',
    anonymous: false,
    summary: 'Try a hook where it runs, with example fields: commands, webhooks and notifications really run, messages are not sent',
    input: TestHookSchema,
    output: HookResultSchema,
    wait: { ms: HOOKS_LIST_MS + HOOK_TEST_MS },
  }),
  'hooks/set': route({
    method: 'POST',
    path: '/hooks/own',
    scope: '*',
    anonymous: false,
    summary: 'Write one of the hooks of the relay itself into its file, a new one or in the place of another: a message or a signed post',
    input: SetHookSchema,
    output: HookSetSchema,
  }),
  'hooks/remove': route({
    method: 'POST',
    path: '/hooks/own/remove',
    scope: '*',
    anonymous: false,
    summary: 'Take one of the hooks of the relay itself out of its file',
    input: RemoveHookSchema,
    output: z.object({ removed: z.literal(true) }),
  }),
} as const;
