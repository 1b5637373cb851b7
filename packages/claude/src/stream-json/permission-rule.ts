import { z } from 'zod';

/** A rule in Claude's words: `Bash` with `npm test:*`. One whose content cannot be read is none: without it the rule would say more. */
export const PermissionRuleSchema = z.object({ toolName: z.string().min(1), ruleContent: z.string().optional() });
export type PermissionRule = z.infer<typeof PermissionRuleSchema>;
