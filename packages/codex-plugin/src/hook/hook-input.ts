import { lenient } from 'agent-relay-wire';
import { z } from 'zod';

const session = { session_id: z.string(), cwd: z.string() };
const tool = {
  ...session,
  tool_name: z.string().catch(''),
  tool_use_id: z.string(),
  tool_input: z.looseObject({ command: z.string().catch('') }),
};

/** What Codex says to a hook, as far as it is read here. */
export const HookInputSchema = z.discriminatedUnion('hook_event_name', [
  z.looseObject({ hook_event_name: z.literal('SessionStart'), ...session }),
  z.looseObject({ hook_event_name: z.literal('UserPromptSubmit'), ...session }),
  z.looseObject({ hook_event_name: z.literal('PreToolUse'), ...tool }),
  z.looseObject({ hook_event_name: z.literal('PostToolUse'), ...tool, tool_response: lenient(z.json()) }),
  z.looseObject({ hook_event_name: z.literal('Stop'), ...session }),
  z.looseObject({ hook_event_name: z.literal('SessionEnd'), ...session }),
]);
export type HookInput = z.infer<typeof HookInputSchema>;

/** What a hook answers; null says nothing. */
export type HookOutput = Readonly<Record<string, unknown>> | null;
