import { z } from 'zod';

const id = z.string();
const text = z.string().nullish();
const changeKind = z.looseObject({ type: z.string(), move_path: z.string().nullish() });

export const FileUpdateSchema = z.looseObject({ path: z.string(), kind: changeKind, diff: z.string().nullish() });

const userInput = z.looseObject({ type: z.string(), text: z.string().nullish() });

/** The items of a thread that have a meaning to us; fields that nobody here reads are kept but not named. */
const known = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('userMessage'), id, clientId: z.string().nullish(), content: z.array(userInput).default([]) }),
  z.looseObject({ type: z.literal('agentMessage'), id, text }),
  z.looseObject({ type: z.literal('reasoning'), id, summary: z.array(z.string()).default([]), content: z.array(z.string()).default([]) }),
  z.looseObject({
    type: z.literal('commandExecution'),
    id,
    command: z.string(),
    cwd: text,
    status: z.string(),
    aggregatedOutput: text,
    exitCode: z.number().nullish(),
  }),
  z.looseObject({ type: z.literal('fileChange'), id, changes: z.array(FileUpdateSchema).default([]), status: z.string() }),
  z.looseObject({
    type: z.literal('mcpToolCall'),
    id,
    server: z.string(),
    tool: z.string(),
    status: z.string(),
    arguments: z.json().optional(),
    result: z.looseObject({ content: z.array(z.looseObject({ text })).default([]) }).nullish(),
    error: z.looseObject({ message: z.string() }).nullish(),
  }),
  z.looseObject({ type: z.literal('dynamicToolCall'), id, tool: z.string(), status: z.string(), arguments: z.json().optional() }),
  z.looseObject({ type: z.literal('webSearch'), id, query: z.string().default('') }),
  z.looseObject({ type: z.literal('imageView'), id, path: z.string() }),
  z.looseObject({ type: z.literal('collabAgentToolCall'), id, tool: z.string(), status: z.string(), prompt: text }),
  z.looseObject({ type: z.literal('contextCompaction'), id }),
]);
export type KnownItem = z.infer<typeof known>;

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
  const parsed = known.safeParse(raw);
  return { id: raw.id, type: raw.type, raw, ...(parsed.success ? { known: parsed.data } : {}) };
});
