import { count, lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';

/** Some agents number what the protocol says is a string. */
const Id = z.union([z.string(), z.number()]).transform(String);

const ContentBlock = z.looseObject({ type: lenient(z.string()), text: lenient(z.string()) });

/** As `lenientList`, but what is no list is absent. */
const lenientEntries = <Schema extends z.ZodType>(schema: Schema) =>
  z.array(schema.nullable().catch(null)).transform((entries) => entries.filter((entry) => entry !== null));

const ToolContent = z.looseObject({
  type: z.string(),
  content: lenient(ContentBlock),
  path: lenient(z.string()),
  oldText: lenient(z.string()),
  newText: lenient(z.string()),
  _meta: lenient(z.looseObject({ kind: lenient(z.string()) })),
});
export type ToolContent = z.infer<typeof ToolContent>;

/** What an agent says of a use of a tool; each report holds what has changed since the one before. */
export const ToolReport = z.looseObject({
  toolCallId: Id,
  name: lenient(z.string()),
  title: lenient(z.string()),
  kind: lenient(z.string()),
  status: lenient(z.string()),
  /** Left out, what was told before stays. */
  content: lenient(lenientEntries(ToolContent)),
  locations: lenientList(z.looseObject({ path: z.string() })),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  _meta: lenient(
    z.looseObject({
      toolName: lenient(z.string()),
      claudeCode: lenient(z.looseObject({ toolName: lenient(z.string()) })),
      terminal_output_delta: lenient(z.looseObject({ data: lenient(z.string()) })),
      terminal_exit: lenient(z.looseObject({ exit_code: lenient(z.int()) })),
    }),
  ),
});
export type ToolReport = z.infer<typeof ToolReport>;

const chunk = { content: ContentBlock.catch({}), messageId: lenient(Id) };

const KnownUpdate = z.discriminatedUnion('sessionUpdate', [
  z.looseObject({ sessionUpdate: z.literal('agent_message_chunk'), ...chunk }),
  z.looseObject({ sessionUpdate: z.literal('agent_thought_chunk'), ...chunk }),
  ToolReport.extend({ sessionUpdate: z.literal('tool_call') }),
  ToolReport.extend({ sessionUpdate: z.literal('tool_call_update') }),
  z.looseObject({
    sessionUpdate: z.literal('plan'),
    entries: lenientList(z.looseObject({ content: z.string(), status: lenient(z.string()) })),
  }),
  z.looseObject({
    sessionUpdate: z.literal('usage_update'),
    used: count,
    size: count,
    cost: lenient(z.looseObject({ amount: z.number(), currency: z.string() })),
  }),
]);

/** What an agent tells while it works. `unknown` is whatever this version has no word for, as it came. */
export type SessionUpdate = z.infer<typeof KnownUpdate> | { readonly sessionUpdate: 'unknown'; readonly raw: unknown };

/** What has no fields is an update of which nothing is known. */
export const SessionNotification = z
  .looseObject({ sessionId: lenient(Id), update: z.unknown().optional() })
  .catch({ sessionId: undefined, update: undefined });

export function parseUpdate(update: unknown): SessionUpdate {
  const known = KnownUpdate.safeParse(update);
  return known.success ? known.data : { sessionUpdate: 'unknown', raw: update };
}

export const PermissionQuestion = z.looseObject({
  toolCall: ToolReport,
  options: lenientList(z.looseObject({ optionId: z.string(), name: lenient(z.string()), kind: lenient(z.string()) })),
});
export type PermissionQuestion = z.infer<typeof PermissionQuestion>;

export type PermissionOutcome = { readonly outcome: 'selected'; readonly optionId: string } | { readonly outcome: 'cancelled' };

export const ReadFileRequest = z.looseObject({ path: z.string(), line: lenient(z.int().min(1)), limit: lenient(z.int().min(0)) });
export type ReadFileRequest = z.infer<typeof ReadFileRequest>;

export const WriteFileRequest = z.looseObject({ path: z.string(), content: z.string() });
export type WriteFileRequest = z.infer<typeof WriteFileRequest>;

export const InitializeAnswer = z.looseObject({
  protocolVersion: z.number(),
  agentInfo: lenient(z.looseObject({ name: lenient(z.string()), version: lenient(z.string()) })),
  agentCapabilities: z
    .looseObject({
      loadSession: z.boolean().catch(false),
      mcpCapabilities: z.looseObject({ http: z.boolean().catch(false) }).catch({ http: false }),
    })
    .catch({ loadSession: false, mcpCapabilities: { http: false } }),
});
export type InitializeAnswer = z.infer<typeof InitializeAnswer>;

const models = lenient(z.looseObject({ currentModelId: lenient(z.string()) }));
const modes = lenient(z.looseObject({ availableModes: lenientList(z.looseObject({ id: z.string() })) }));
export const NewSessionAnswer = z.looseObject({ sessionId: Id, models, modes });
export const LoadSessionAnswer = z.looseObject({ models, modes }).nullish();

export const PromptAnswer = z.looseObject({
  stopReason: z.string(),
  usage: lenient(z.looseObject({ inputTokens: count, outputTokens: count, cachedReadTokens: count, thoughtTokens: count })),
  _meta: lenient(
    z.looseObject({
      quota: lenient(z.looseObject({ token_count: lenient(z.looseObject({ input_tokens: count, output_tokens: count })) })),
    }),
  ),
});
export type PromptAnswer = z.infer<typeof PromptAnswer>;
