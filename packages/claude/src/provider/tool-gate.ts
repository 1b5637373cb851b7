import type { ToolVerdict } from 'agent-relay-provider/kit';
import { RecentSet } from 'agent-relay-wire';
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

/** As many uses may wait for a permission at once. */
const LOOKED_AT = 256;

/** How many seconds Claude waits for an answer before and after a tool; left out, as long as it likes. */
export interface HookLimits {
  readonly before?: number;
  readonly after?: number;
  /** Where a sub-agent needs a permission; left out, it is not asked for by a hook. Claude puts those of one in the background to nobody else, and refuses them. */
  readonly permission?: number;
}

/**
 * Goes with `initialize`: from then on Claude asks before each use of a tool, whatever its settings allow, and tells what the relay's tools
 * answered before its model reads it.
 */
export function toolGateHooks(relayServers: readonly string[], { before, after, permission }: HookLimits = {}) {
  const limit = (seconds: number | undefined) => (seconds === undefined ? {} : { timeout: seconds });
  const ofRelay = relayServers.map((server) => `${mcpPrefix(server)}.*`).join('|');
  return {
    hooks: {
      PreToolUse: [{ hookCallbackIds: ['agent-relay-before-tool'], ...limit(before) }],
      ...(ofRelay === '' ? {} : { PostToolUse: [{ matcher: ofRelay, hookCallbackIds: ['agent-relay-after-tool'], ...limit(after) }] }),
      ...(permission === undefined ? {} : { PermissionRequest: [{ hookCallbackIds: ['agent-relay-permission'], ...limit(permission) }] }),
    },
  };
}

/** Answers what Claude asks about tools, by the mode of the session, by what began the running turn, and by what a person says. */
export function toolGate(options: ToolGateOptions, parts: QuestionParts): RequestHandlers {
  const { translator } = parts;
  /** What the hook has asked the holders of reservations about. */
  const looked = new RecentSet<string>(LOOKED_AT);
  const judge = (use: ClaudeToolUse): ToolVerdict => judgeToolUse(use, options, translator.isMailTurn);
  const isFree = async (use: ClaudeToolUse) => judge(use).outcome === 'allow' && (await reservedAgainst(use, options)) === null;
  const denied = (request: PermissionRequest, message: string): PermissionAnswer => {
    translator.declined(request.tool_use_id);
    return { behavior: 'deny', message };
  };
  /** In a turn of mail the hook asks again, whatever rule holds. */
  const asked = (request: PermissionRequest, { because }: Extract<ToolVerdict, { outcome: 'ask' }>, signal: AbortSignal) => {
    const { relayServers, cwd } = options;
    return askAboutTool({ request, relayServers, cwd, offersRule: because === 'beyond' }, parts, signal);
  };
  return {
    onHook: async (callback) => {
      if (toldMail(callback, options.relayServers)) translator.mailArrivedByTool();
      const wanted = permissionOfSubAgent(callback);
      if (wanted) return (await isFree(wanted)) ? allowed : {};
      const use = toolUseOf(callback);
      if (!use) return {};
      const verdict = judge(use);
      // The user's own rules may allow what goes beyond the mode; where they leave it open, and for every question, Claude asks for a permission.
      if (verdict.outcome === 'allow' || verdict.because === 'beyond' || verdict.because === 'question') {
        const reserved = await reservedAgainst(use, options);
        if (reserved === null) {
          if (callback.tool_use_id !== undefined) looked.add(callback.tool_use_id);
          return {};
        }
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
      if (verdict.outcome === 'allow' && looked.has(request.tool_use_id ?? '')) return { behavior: 'allow' };
      if (verdict.outcome === 'refuse') return denied(request, verdict.message);
      const answer: PermissionAnswer = verdict.outcome === 'allow' ? { behavior: 'allow' } : await asked(request, verdict, signal);
      if (answer.behavior === 'deny') return answer;
      // The mode is the outer fence for what a person puts in the place of the input as well.
      const { updatedInput: input = request.input } = answer;
      const edited = answer.updatedInput ? judged(input) : verdict;
      if (edited.outcome === 'refuse') return denied(request, edited.message);
      // A hook that was lost with its link has not looked, nor has any at another input; and while a person was asked somebody may have reserved it.
      const reserved = await reservedAgainst({ name: request.tool_name, input }, options);
      return reserved === null ? answer : denied(request, reserved);
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

/** Up to 2.1.120 an input that comes with it is put to the rules anew, and refused by the one that had it asked about. */
const allowed = { hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: { behavior: 'allow' } } } as const;

/** The conversation itself asks for its permissions. */
function permissionOfSubAgent({ input }: HookCallback): ClaudeToolUse | null {
  if (input.hook_event_name !== 'PermissionRequest' || input.agent_id === undefined) return null;
  return { name: input.tool_name ?? 'unknown', input: input.tool_input ?? {} };
}

const beforeTool = (permissionDecision: 'deny' | 'ask', permissionDecisionReason: string) => ({
  hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision, permissionDecisionReason },
});

function toolUseOf({ input }: HookCallback): ClaudeToolUse | null {
  if (input.hook_event_name !== 'PreToolUse') return null;
  // A tool without a name is none that is known to be harmless.
  return { name: input.tool_name ?? 'unknown', input: input.tool_input ?? {} };
}
