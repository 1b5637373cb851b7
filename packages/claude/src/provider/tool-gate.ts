import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import type { HookCallback, PermissionRequest } from '../stream-json/frames.ts';
import type { PermissionAnswer, RequestHandlers } from '../stream-json/request-desk.ts';
import { refuseAlways, refuseWhenAsked, type ToolPolicy, type ToolUse } from './tool-policy.ts';
import type { ClaudeTranslation } from './translation.ts';

export interface ToolGateOptions {
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly cwd: string;
  readonly relayServers: readonly string[];
}

const callbackId = 'agent-relay-before-tool';

/** Goes with `initialize`: from then on Claude asks before each use of a tool, whatever its settings allow. */
export const toolGateHooks = { hooks: { PreToolUse: [{ hookCallbackIds: [callbackId] }] } } as const;

/** Answers what Claude asks about tools, by the mode of the session and by what began the running turn. */
export function toolGate(options: ToolGateOptions, translation: ClaudeTranslation): RequestHandlers {
  const policy = (): ToolPolicy => ({ ...options, approval: translation.isMailTurn ? options.approval : 'open' });
  return {
    onHook: (callback) => {
      const use = toolUseOf(callback);
      const refusal = use ? refuseAlways(use, policy()) : null;
      if (refusal === null) return {};
      translation.declined(callback.tool_use_id ?? undefined);
      return {
        hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision: 'deny', permissionDecisionReason: refusal },
      };
    },
    onPermission: (request: PermissionRequest): PermissionAnswer => {
      const refusal = refuseWhenAsked({ name: request.tool_name, input: request.input }, policy());
      if (refusal === null) return { behavior: 'allow' };
      translation.declined(request.tool_use_id);
      return { behavior: 'deny', message: refusal };
    },
  };
}

function toolUseOf({ input }: HookCallback): ToolUse | null {
  if (input.hook_event_name !== 'PreToolUse' || input.tool_name === undefined) return null;
  return { name: input.tool_name, input: input.tool_input ?? {} };
}
