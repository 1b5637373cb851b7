import type { ToolVerdict } from 'agent-relay-provider/kit';
import type { HookCallback, PermissionRequest } from '../stream-json/frames.ts';
import type { PermissionAnswer, RequestHandlers } from '../stream-json/request-desk.ts';
import { askAboutTool } from './ask-about-tool.ts';
import type { QuestionParts } from './ask-person.ts';
import { asJson } from './plain-events.ts';
import { type ClaudeRights, type ClaudeToolUse, judgeToolUse } from './tool-policy.ts';
import { handsOutMail } from './tool-results.ts';
import { mcpPrefix, toolKind } from './tool-words.ts';

/** What a session may do. `ask` is false where it is left out. */
export type ToolGateOptions = ClaudeRights;

/** How many seconds Claude waits for an answer before and after a tool; left out, as long as it likes. */
export interface HookLimits {
  readonly before?: number;
  readonly after?: number;
}

/**
 * Goes with `initialize`: from then on Claude asks before each use of a tool, whatever its settings allow, and tells what the relay's tools
 * answered before its model reads it.
 */
export function toolGateHooks(relayServers: readonly string[], { before, after }: HookLimits = {}) {
  const limit = (seconds: number | undefined) => (seconds === undefined ? {} : { timeout: seconds });
  const ofRelay = relayServers.map((server) => `${mcpPrefix(server)}.*`).join('|');
  return {
    hooks: {
      PreToolUse: [{ hookCallbackIds: ['agent-relay-before-tool'], ...limit(before) }],
      ...(ofRelay === '' ? {} : { PostToolUse: [{ matcher: ofRelay, hookCallbackIds: ['agent-relay-after-tool'], ...limit(after) }] }),
    },
  };
}

/** Answers what Claude asks about tools, by the mode of the session, by what began the running turn, and by what a person says. */
export function toolGate(options: ToolGateOptions, parts: QuestionParts): RequestHandlers {
  const { translator } = parts;
  const judge = (use: ClaudeToolUse): ToolVerdict => judgeToolUse(use, options, translator.isMailTurn);
  const denied = (request: PermissionRequest, message: string): PermissionAnswer => {
    translator.declined(request.tool_use_id);
    return { behavior: 'deny', message };
  };
  return {
    onHook: async (callback) => {
      if (toldMail(callback, options.relayServers)) translator.mailArrivedByTool();
      const use = toolUseOf(callback);
      if (!use) return {};
      const verdict = judge(use);
      // The user's own rules may allow what goes beyond the mode; where they leave it open, and for every question, Claude asks for a permission.
      if (verdict.outcome === 'allow' || verdict.because === 'beyond' || verdict.because === 'question') {
        const reserved = await reservedAgainst(use, options);
        if (reserved === null) return {};
        translator.declined(callback.tool_use_id ?? undefined);
        return beforeTool('deny', reserved);
      }
      // A hook may not wait for a person: it has a time limit. The permission request that follows from this has none.
      if (verdict.outcome === 'ask') return beforeTool('ask', 'A message from the relay started this turn');
      translator.declined(callback.tool_use_id ?? undefined);
      return beforeTool('deny', verdict.message);
    },
    onPermission: async (request, { signal }) => {
      const judged = (input: ClaudeToolUse['input']) => judge({ name: request.tool_name, input });
      const verdict = judged(request.input);
      if (verdict.outcome === 'allow') return { behavior: 'allow' };
      if (verdict.outcome === 'refuse') return denied(request, verdict.message);
      // In a turn of mail the hook asks again, whatever rule holds.
      const { relayServers, cwd } = options;
      const answer = await askAboutTool({ request, relayServers, cwd, offersRule: verdict.because === 'beyond' }, parts, signal);
      // The mode is the outer fence for what a person puts in the place of the input as well.
      const edited = answer.behavior === 'allow' && answer.updatedInput ? judged(answer.updatedInput) : verdict;
      return edited.outcome === 'refuse' ? denied(request, edited.message) : answer;
    },
  };
}

/** What nobody is asked about, the holder of a reservation is not asked about either. */
async function reservedAgainst({ name, input }: ClaudeToolUse, { reservedAgainst: ask, relayServers, cwd }: ToolGateOptions) {
  return ask ? ask({ kind: toolKind(name, relayServers), cwd, input: asJson(input) }) : null;
}

/** Also of a subagent's tools: what the main conversation shows tells nothing of those. */
const toldMail = (
  { input: { hook_event_name: event, tool_name: name = '', tool_input: input = {}, tool_response: answer } }: HookCallback,
  relayServers: readonly string[],
): boolean => event === 'PostToolUse' && handsOutMail({ name, input }, answer, relayServers);

const beforeTool = (permissionDecision: 'deny' | 'ask', permissionDecisionReason: string) => ({
  hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision, permissionDecisionReason },
});

function toolUseOf({ input }: HookCallback): ClaudeToolUse | null {
  if (input.hook_event_name !== 'PreToolUse') return null;
  // A tool without a name is none that is known to be harmless.
  return { name: input.tool_name ?? 'unknown', input: input.tool_input ?? {} };
}
