import { lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';

const id = z.string();
const text = lenient(z.string());
/** A name that is shown. */
const name = z.string().catch('unknown');
/** What became of it; unreadable it proves nothing. */
const status = z.string().catch('');
const json = lenient(z.json());

const changeKind = z.looseObject({ type: z.string().catch('update'), move_path: text }).catch({ type: 'update' });
const FileUpdateSchema = z.looseObject({ path: z.string(), kind: changeKind, diff: text });

/** The items of a thread that have a meaning to us; fields that nobody here reads are kept but not named. */
export const KnownItemSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('userMessage'), id, clientId: text, content: lenientList(z.looseObject({ text })) }),
  z.looseObject({ type: z.literal('agentMessage'), id, text }),
  z.looseObject({ type: z.literal('reasoning'), id, summary: lenientList(z.string()), content: lenientList(z.string()) }),
  z.looseObject({
    type: z.literal('commandExecution'),
    id,
    command: z.string().catch(''),
    cwd: text,
    status,
    aggregatedOutput: text,
    exitCode: lenient(z.int()),
  }),
  z.looseObject({ type: z.literal('fileChange'), id, changes: lenientList(FileUpdateSchema), status }),
  z.looseObject({
    type: z.literal('mcpToolCall'),
    id,
    server: name,
    tool: name,
    status,
    arguments: json,
    result: lenient(z.looseObject({ content: lenientList(z.looseObject({ text })) })),
    error: lenient(z.looseObject({ message: z.string().catch('It failed') })),
  }),
  z.looseObject({
    type: z.literal('dynamicToolCall'),
    id,
    namespace: text,
    tool: name,
    status,
    arguments: json,
    contentItems: lenientList(z.looseObject({ text })),
  }),
  z.looseObject({ type: z.literal('webSearch'), id, query: z.string().catch('') }),
  z.looseObject({ type: z.literal('imageView'), id, path: z.string().catch('') }),
  z.looseObject({
    type: z.literal('collabAgentToolCall'),
    id,
    tool: name,
    status,
    prompt: text,
    receiverThreadIds: lenientList(z.string()),
  }),
  z.looseObject({ type: z.literal('subAgentActivity'), id, kind: z.string().catch('started'), agentThreadId: text, agentPath: name }),
  z.looseObject({ type: z.literal('plan'), id, text }),
  z.looseObject({ type: z.literal('hookPrompt'), id, fragments: lenientList(z.looseObject({ text })) }),
  z.looseObject({ type: z.literal('enteredReviewMode'), id, review: text }),
  z.looseObject({ type: z.literal('exitedReviewMode'), id, review: text }),
  z.looseObject({ type: z.literal('contextCompaction'), id }),
]);
export type KnownItem = z.infer<typeof KnownItemSchema>;

/** An item of a kind that has no meaning to us: new in a later Codex, or one we do not use. */
const other = z.looseObject({ type: z.string(), id });

export interface ThreadItem {
  readonly id: string;
  readonly type: string;
  /** Absent for kinds this client has no use for. */
  readonly known?: KnownItem;
  readonly raw: unknown;
}

/** Reads an item as Codex sent it; one of an unknown kind is kept, one without an id is a broken frame. */
export const ThreadItemSchema = other.transform((raw): ThreadItem => {
  const parsed = KnownItemSchema.safeParse(raw);
  return { id: raw.id, type: raw.type, raw, ...(parsed.success ? { known: parsed.data } : {}) };
});
