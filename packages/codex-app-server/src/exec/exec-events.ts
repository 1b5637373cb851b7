import { count, lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';

const id = z.string();
const text = lenient(z.string());
const name = z.string().catch('unknown');
const status = z.string().catch('');
const json = lenient(z.json());

const ExecItemSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('agent_message'), id, text }),
  z.looseObject({ type: z.literal('reasoning'), id, text }),
  z.looseObject({
    type: z.literal('command_execution'),
    id,
    command: z.string().catch(''),
    aggregated_output: text,
    exit_code: lenient(z.int()),
    status,
  }),
  z.looseObject({
    type: z.literal('file_change'),
    id,
    changes: lenientList(z.looseObject({ path: z.string(), kind: z.string().catch('update') })),
    status,
  }),
  z.looseObject({
    type: z.literal('mcp_tool_call'),
    id,
    server: name,
    tool: name,
    arguments: json,
    result: lenient(z.looseObject({ content: lenientList(z.looseObject({ text })) })),
    error: lenient(z.looseObject({ message: z.string().catch('It failed') })),
    status,
  }),
  z.looseObject({ type: z.literal('web_search'), id, query: z.string().catch('') }),
  z.looseObject({
    type: z.literal('todo_list'),
    id,
    items: lenientList(z.looseObject({ text: z.string(), completed: z.boolean().catch(false) })),
  }),
  z.looseObject({ type: z.literal('error'), id, message: z.string().catch('Something went wrong') }),
]);
/** An item of `codex exec --json` that has a meaning to us. */
export type ExecItem = z.infer<typeof ExecItemSchema>;

const other = z.looseObject({ type: z.string(), id });
const item = other.transform((raw) => {
  const parsed = ExecItemSchema.safeParse(raw);
  return { id: raw.id, type: raw.type, raw, ...(parsed.success ? { known: parsed.data } : {}) };
});

/** Tokens of the whole conversation so far, not of one turn. */
const UsageSchema = z.looseObject({
  input_tokens: count,
  cached_input_tokens: count,
  output_tokens: count,
  reasoning_output_tokens: count,
});
export type ExecUsage = z.infer<typeof UsageSchema>;

const ExecEventSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('thread.started'), thread_id: z.string() }),
  z.looseObject({ type: z.literal('turn.started') }),
  z.looseObject({ type: z.literal('turn.completed'), usage: lenient(UsageSchema) }),
  z.looseObject({
    type: z.literal('turn.failed'),
    error: z.looseObject({ message: z.string().catch('The turn failed') }).catch({ message: 'The turn failed' }),
  }),
  z.looseObject({ type: z.literal('item.started'), item }),
  z.looseObject({ type: z.literal('item.updated'), item }),
  z.looseObject({ type: z.literal('item.completed'), item }),
  z.looseObject({ type: z.literal('error'), message: z.string().catch('Something went wrong') }),
]);
/** A line of `codex exec --json`. */
export type ExecEvent = z.infer<typeof ExecEventSchema>;

/** The line with the types of what is read here; `undefined` for one that has no use here or does not look as expected. */
export function parseExecEvent(line: unknown): ExecEvent | undefined {
  const parsed = ExecEventSchema.safeParse(line);
  return parsed.success ? parsed.data : undefined;
}
