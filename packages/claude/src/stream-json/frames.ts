import { z } from 'zod';

/**
 * What Claude Code says, one JSON object a line. Only what is read is named; whatever else a version adds passes through, and a frame of an
 * unknown type is as good as a known one. Never switch over `type` exhaustively: `command_lifecycle` is in no declaration, yet it is sent.
 */
export const ClaudeFrameSchema = z.looseObject({
  type: z.string().min(1),
  subtype: z.string().optional(),
  uuid: z.string().optional(),
  session_id: z.string().optional(),
});
export type ClaudeFrame = z.infer<typeof ClaudeFrameSchema>;

const JsonObject = z.record(z.string(), z.unknown());

export const ControlRequestFrame = z.looseObject({
  type: z.literal('control_request'),
  request_id: z.string().min(1),
  request: z.looseObject({ subtype: z.string() }),
});
export type ControlRequestFrame = z.infer<typeof ControlRequestFrame>;

export const ControlResponseFrame = z.looseObject({
  type: z.literal('control_response'),
  response: z.looseObject({
    subtype: z.string(),
    request_id: z.string().min(1),
    response: z.unknown().optional(),
    error: z.unknown().optional(),
    pending_permission_requests: z.array(z.unknown()).optional(),
  }),
});
export type ControlResponseFrame = z.infer<typeof ControlResponseFrame>;

export const ControlCancelFrame = z.looseObject({ type: z.literal('control_cancel_request'), request_id: z.string().min(1) });

/** `can_use_tool`: Claude asks whether a tool may run. */
export const PermissionRequestSchema = z.looseObject({
  subtype: z.literal('can_use_tool'),
  tool_name: z.string().min(1),
  input: JsonObject.default({}),
  tool_use_id: z.string().optional(),
  description: z.string().optional(),
  permission_suggestions: z.array(z.unknown()).optional(),
  blocked_path: z.string().nullish(),
  decision_reason: z.string().nullish(),
  requires_user_interaction: z.boolean().optional(),
});
export type PermissionRequest = z.infer<typeof PermissionRequestSchema>;

/** `hook_callback`: a hook that was named at `initialize` has fired. */
export const HookCallbackSchema = z.looseObject({
  subtype: z.literal('hook_callback'),
  callback_id: z.string(),
  input: z.looseObject({
    hook_event_name: z.string(),
    tool_name: z.string().optional(),
    tool_input: JsonObject.optional(),
  }),
  tool_use_id: z.string().nullish(),
});
export type HookCallback = z.infer<typeof HookCallbackSchema>;
