import type { PermissionRequest } from '../stream-json/frames.ts';
import { type PermissionRule, PermissionRuleSchema } from '../stream-json/permission-rule.ts';
import type { RequestHandlers } from '../stream-json/request-desk.ts';
import { askPerson, type QuestionParts, questionOf } from './ask-person.ts';

/**
 * Asks a person about each permission that Claude asks for. Where Claude suggests a single rule, that rule is shown and offered for the rest of the
 * session; what it suggests besides (settings, folders, another mode) is not.
 */
export function askPermissions(cwd: string, parts: QuestionParts): RequestHandlers {
  const { translator } = parts;
  return {
    onPermission: async (request, { signal }) => {
      const rule = suggestedRule(request);
      const question = questionOf(request, { relayServers: [], cwd }, translator.turnId);
      const verdict = await askPerson({ ...question, ...(rule === null ? {} : { forSession: wordsFor(rule) }) }, parts, signal);
      if (verdict.outcome === 'allowed') return { behavior: 'allow', ...(verdict.forSession && rule ? { rule } : {}) };
      translator.declined(request.tool_use_id);
      return { behavior: 'deny', message: verdict.message };
    },
  };
}

function suggestedRule({ permission_suggestions: suggestions }: PermissionRequest): PermissionRule | null {
  const [rule, ...others] = suggestions.flatMap(({ type, behavior, rules = [] }) =>
    type === 'addRules' && behavior === 'allow' ? rules : [],
  );
  const parsed = PermissionRuleSchema.safeParse(rule);
  return parsed.success && others.length === 0 ? parsed.data : null;
}

function wordsFor({ toolName, ruleContent }: PermissionRule): string {
  return `Allow ${ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`} for this session`;
}
