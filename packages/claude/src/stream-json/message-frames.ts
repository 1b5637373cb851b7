import { count, lenient, lenientList, recordOf } from 'agent-relay-wire';
import { z } from 'zod';

/** The frames that tell of a conversation, as far as they are read here. See `ClaudeFrameSchema` for the rule about all others. */

const JsonObject = z.record(z.string(), z.unknown());
const text = lenient(z.string());

export const ContentBlock = z.looseObject({
  type: z.string(),
  text,
  thinking: text,
  id: text,
  name: text,
  input: lenient(JsonObject),
  tool_use_id: text,
  content: z.unknown().optional(),
  is_error: lenient(z.boolean()),
});
export type ContentBlock = z.infer<typeof ContentBlock>;

/** In tokens. */
const Usage = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});

export const AssistantFrame = z.looseObject({
  type: z.literal('assistant'),
  /** Set when the text is Claude Code's own word about a failure, not the model's. */
  error: z.unknown().optional(),
  parent_tool_use_id: text,
  message: lenient(z.looseObject({ id: text, model: text, usage: lenient(Usage), content: lenientList(ContentBlock) })),
});
export type AssistantFrame = z.infer<typeof AssistantFrame>;

export const UserFrame = z.looseObject({
  type: z.literal('user'),
  uuid: text,
  isReplay: lenient(z.boolean()),
  /** A text, as in an echo, reads as no blocks. */
  message: lenient(z.looseObject({ content: lenientList(ContentBlock) })),
  tool_use_result: z.unknown().optional(),
});
export type UserFrame = z.infer<typeof UserFrame>;

export const StreamEventFrame = z.looseObject({
  type: z.literal('stream_event'),
  // Null in each piece of a text: read as what is right it costs nothing.
  parent_tool_use_id: z.string().nullish().catch(undefined),
  event: z.looseObject({
    type: z.string(),
    index: lenient(z.int()),
    message: lenient(z.looseObject({ id: text })),
    delta: lenient(z.looseObject({ text, thinking: text })),
  }),
});
export type StreamEventFrame = z.infer<typeof StreamEventFrame>;

export const ResultFrame = z.looseObject({
  type: z.literal('result'),
  subtype: z.string().catch('success'),
  is_error: z.boolean().catch(false),
  result: text,
  errors: z.array(z.unknown()).catch([]),
  api_error_status: lenient(z.number()),
  terminal_reason: text,
  duration_ms: lenient(z.number().min(0)),
  total_cost_usd: lenient(z.number().min(0)),
  usage: lenient(Usage),
  modelUsage: recordOf(z.looseObject({ contextWindow: count })),
});
export type ResultFrame = z.infer<typeof ResultFrame>;

export const SystemFrame = z.looseObject({
  type: z.literal('system'),
  subtype: z.string().catch(''),
  model: text,
  cwd: text,
  claude_code_version: text,
  permissionMode: text,
  tools: lenientList(z.string()),
  mcp_servers: lenientList(z.looseObject({ name: z.string(), status: text })),
  state: text,
  status: text,
  error: z.unknown().optional(),
  error_status: lenient(z.number()),
  task_id: text,
  tool_use_id: text,
  description: text,
  attempt: count,
  max_retries: count,
});
export type SystemFrame = z.infer<typeof SystemFrame>;

export const CommandLifecycleFrame = z.looseObject({ type: z.literal('command_lifecycle'), command_uuid: z.string(), state: z.string() });

export const RateLimitFrame = z.looseObject({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.looseObject({ status: z.string(), resetsAt: lenient(z.number()), rateLimitType: text }),
});
