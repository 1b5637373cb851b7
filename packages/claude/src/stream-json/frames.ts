import { lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';

const text = lenient(z.string());
const JsonObject = z.record(z.string(), z.unknown());

/**
 * What Claude Code says, one JSON object a line. Only what is read is named; whatever else a version adds passes through, and a frame of an
 * unknown type is as good as a known one. Of what is named only types and ids decide: anything else that is odd reads as absent. Never switch over `type` exhaustively: `command_lifecycle` is in no declaration, yet it is sent.
 */
export const ClaudeFrameSchema = z.looseObject({
  type: z.string().min(1),
  subtype: text,
  uuid: text,
  session_id: text,
});
export type ClaudeFrame = z.infer<typeof ClaudeFrameSchema>;

export const ControlRequestFrame = z.looseObject({
  type: z.literal('control_request'),
  request_id: z.string().min(1),
  /** Also what cannot be read is answered, with a refusal: unanswered it would stall the turn. */
  request: z.looseObject({ subtype: z.string().catch('') }).catch({ subtype: '' }),
});
export type ControlRequestFrame = z.infer<typeof ControlRequestFrame>;

export const ControlResponseFrame = z.looseObject({
  type: z.literal('control_response'),
  response: z.looseObject({
    subtype: z.string().catch('error'),
    request_id: z.string().min(1),
    response: z.unknown().optional(),
    error: z.unknown().optional(),
    pending_permission_requests: lenient(z.array(z.unknown())),
  }),
});
export type ControlResponseFrame = z.infer<typeof ControlResponseFrame>;

export const ControlCancelFrame = z.looseObject({ type: z.literal('control_cancel_request'), request_id: z.string().min(1) });

/** What Claude offers to remember: rules, folders or another mode, each for a destination that may be a file. */
const PermissionSuggestion = z.looseObject({ type: z.string(), behavior: text, rules: lenient(z.array(z.unknown())) });

/** `can_use_tool`: Claude asks whether a tool may run. */
export const PermissionRequestSchema = z.looseObject({
  subtype: z.literal('can_use_tool'),
  tool_name: z.string().min(1),
  input: JsonObject.catch({}),
  tool_use_id: text,
  permission_suggestions: lenientList(PermissionSuggestion),
});
export type PermissionRequest = z.infer<typeof PermissionRequestSchema>;

/** `hook_callback`: a hook that was named at `initialize` has fired. */
export const HookCallbackSchema = z.looseObject({
  subtype: z.literal('hook_callback'),
  input: z.looseObject({
    hook_event_name: z.string(),
    tool_name: text,
    agent_id: text,
    tool_input: lenient(JsonObject),
    tool_response: z.unknown().optional(),
  }),
  tool_use_id: text,
});
export type HookCallback = z.infer<typeof HookCallbackSchema>;
