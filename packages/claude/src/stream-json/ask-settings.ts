import { z } from 'zod';

/** A tool, or all of a server's: no pattern of what it is called with, and nothing that is read as another rule. */
export const AskRuleSchema = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/u);
export const ASK_RULES_MAX = 1_000;

/**
 * The one change of its settings that anybody may tell a CLI of: what it asks about, whatever else allows it, and that its own sandbox is no reason not to
 * ask. Neither lets anything through; null gives the sandbox back to the user's own settings.
 */
export const AskSettingsSchema = z.strictObject({
  permissions: z.strictObject({ ask: z.array(AskRuleSchema).max(ASK_RULES_MAX) }),
  sandbox: z.strictObject({ autoAllowBashIfSandboxed: z.literal(false) }).nullable(),
});

/** Without the word about its sandbox Claude passes over the rule for `Bash` there. */
export const askSettings = (tools: readonly string[]): z.infer<typeof AskSettingsSchema> => ({
  permissions: { ask: [...tools] },
  sandbox: tools.includes('Bash') ? { autoAllowBashIfSandboxed: false } : null,
});
