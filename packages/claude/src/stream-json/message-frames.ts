import { z } from 'zod';

/** The frames that tell of a conversation, as far as they are read here. See `ClaudeFrameSchema` for the rule about all others. */

const JsonObject = z.record(z.string(), z.unknown());
/** Ids become ids of events, which have a bound. */
const id = z.string().min(1).max(200);
const parentToolUseId = id.nullish();

export const ContentBlock = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  id: id.optional(),
  name: z.string().optional(),
  input: JsonObject.optional(),
  tool_use_id: id.optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().nullish(),
});
export type ContentBlock = z.infer<typeof ContentBlock>;

export const AssistantFrame = z.looseObject({
  type: z.literal('assistant'),
  /** Set when the text is Claude Code's own word about a failure, not the model's. */
  error: z.unknown().optional(),
  parent_tool_use_id: parentToolUseId,
  message: z.looseObject({ id, model: z.string().optional(), content: z.array(ContentBlock) }),
});
export type AssistantFrame = z.infer<typeof AssistantFrame>;

export const UserFrame = z.looseObject({
  type: z.literal('user'),
  uuid: z.string().optional(),
  isReplay: z.boolean().optional(),
  parent_tool_use_id: parentToolUseId,
  message: z.looseObject({ content: z.union([z.string(), z.array(ContentBlock)]) }),
  tool_use_result: z.unknown().optional(),
});
export type UserFrame = z.infer<typeof UserFrame>;

export const StreamEventFrame = z.looseObject({
  type: z.literal('stream_event'),
  parent_tool_use_id: parentToolUseId,
  event: z.looseObject({
    type: z.string(),
    index: z.int().optional(),
    message: z.looseObject({ id: id.optional() }).optional(),
    delta: z.looseObject({ type: z.string().optional(), text: z.string().optional(), thinking: z.string().optional() }).optional(),
  }),
});
export type StreamEventFrame = z.infer<typeof StreamEventFrame>;

const count = z.number().min(0).catch(0);

export const ResultFrame = z.looseObject({
  type: z.literal('result'),
  subtype: z.string().default('success'),
  is_error: z.boolean().default(false),
  result: z.string().nullish(),
  errors: z.array(z.unknown()).optional(),
  api_error_status: z.number().nullish(),
  terminal_reason: z.string().nullish(),
  num_turns: z.number().optional(),
  duration_ms: z.number().min(0).optional(),
  total_cost_usd: z.number().optional(),
  usage: z
    .looseObject({
      input_tokens: count,
      output_tokens: count,
      cache_read_input_tokens: count,
      cache_creation_input_tokens: count,
    })
    .optional(),
  modelUsage: z.record(z.string(), z.looseObject({ contextWindow: z.number().optional() })).optional(),
});
export type ResultFrame = z.infer<typeof ResultFrame>;

export const SystemFrame = z.looseObject({
  type: z.literal('system'),
  subtype: z.string(),
  session_id: z.string().optional(),
  model: z.string().optional(),
  claude_code_version: z.string().optional(),
  permissionMode: z.string().optional(),
  tools: z.array(z.string()).optional(),
  mcp_servers: z.array(z.looseObject({ name: z.string(), status: z.string().optional() })).optional(),
  state: z.string().optional(),
  status: z.string().nullish(),
  error: z.unknown().optional(),
  error_status: z.number().nullish(),
  attempt: z.number().optional(),
  max_retries: z.number().optional(),
});
export type SystemFrame = z.infer<typeof SystemFrame>;

export const CommandLifecycleFrame = z.looseObject({ type: z.literal('command_lifecycle'), command_uuid: z.string(), state: z.string() });

export const RateLimitFrame = z.looseObject({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.looseObject({ status: z.string(), resetsAt: z.number().nullish(), rateLimitType: z.string().nullish() }),
});
