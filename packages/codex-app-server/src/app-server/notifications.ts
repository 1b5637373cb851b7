import { z } from 'zod';
import { ThreadItemSchema } from './items.ts';

const thread = { threadId: z.string() };
const inTurn = { ...thread, turnId: z.string() };
const inItem = { ...inTurn, itemId: z.string() };

/** One word (`serverOverloaded`) or an object whose only key is the word (`{ httpConnectionFailed: { httpStatusCode } }`). */
export const ErrorInfoSchema = z.union([z.string(), z.record(z.string(), z.unknown())]).nullish();
export const TurnErrorSchema = z.looseObject({
  message: z.string(),
  codexErrorInfo: ErrorInfoSchema,
  additionalDetails: z.string().nullish(),
});

export const TurnSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  items: z.array(ThreadItemSchema).default([]),
  error: TurnErrorSchema.nullish(),
  durationMs: z.number().nullish(),
});
export type Turn = z.infer<typeof TurnSchema>;

export const ThreadStatusSchema = z.looseObject({ type: z.string(), activeFlags: z.array(z.string()).optional() });
export type ThreadStatus = z.infer<typeof ThreadStatusSchema>;

const tokens = z.looseObject({
  totalTokens: z.number().default(0),
  inputTokens: z.number().default(0),
  cachedInputTokens: z.number().default(0),
  outputTokens: z.number().default(0),
  reasoningOutputTokens: z.number().default(0),
});

const schemas = {
  'thread/status/changed': z.looseObject({ ...thread, status: ThreadStatusSchema }),
  'thread/closed': z.looseObject(thread),
  'thread/tokenUsage/updated': z.looseObject({
    ...inTurn,
    tokenUsage: z.looseObject({ total: tokens, last: tokens, modelContextWindow: z.number().nullish() }),
  }),
  'turn/started': z.looseObject({ ...thread, turn: TurnSchema }),
  'turn/completed': z.looseObject({ ...thread, turn: TurnSchema }),
  'turn/plan/updated': z.looseObject({ ...inTurn, plan: z.array(z.looseObject({ step: z.string(), status: z.string() })) }),
  'item/started': z.looseObject({ ...inTurn, item: ThreadItemSchema }),
  'item/completed': z.looseObject({ ...inTurn, item: ThreadItemSchema }),
  'item/agentMessage/delta': z.looseObject({ ...inItem, delta: z.string() }),
  'item/reasoning/summaryTextDelta': z.looseObject({ ...inItem, delta: z.string() }),
  'item/reasoning/textDelta': z.looseObject({ ...inItem, delta: z.string() }),
  'item/commandExecution/outputDelta': z.looseObject({ ...inItem, delta: z.string() }),
  'mcpServer/startupStatus/updated': z.looseObject({
    threadId: z.string().nullish(),
    name: z.string(),
    status: z.string(),
    error: z.string().nullish(),
  }),
  'serverRequest/resolved': z.looseObject({ ...thread, requestId: z.union([z.string(), z.number()]) }),
  error: z.looseObject({ ...inTurn, error: TurnErrorSchema, willRetry: z.boolean().default(false) }),
} as const;

export type KnownMethod = keyof typeof schemas;
export type KnownNotification = {
  [Method in KnownMethod]: { readonly method: Method; readonly params: z.infer<(typeof schemas)[Method]> };
}[KnownMethod];

/** A notification as Codex sent it. */
export interface CodexNotification {
  readonly method: string;
  readonly params: unknown;
}

const isKnownMethod = (method: string): method is KnownMethod => Object.hasOwn(schemas, method);

/** The notification with the types of what is read here; `undefined` for one that has no use here or does not look as expected. */
export function parseNotification({ method, params }: CodexNotification): KnownNotification | undefined {
  if (!isKnownMethod(method)) return undefined;
  const parsed = schemas[method].safeParse(params);
  // The table pairs each method with its own schema, which TypeScript cannot follow through a union of keys.
  return parsed.success ? ({ method, params: parsed.data } as KnownNotification) : undefined;
}

const Addressed = z.looseObject({ threadId: z.string() });

/** The thread that a notification or server request is about. */
export function threadIdOf(params: unknown): string | undefined {
  const parsed = Addressed.safeParse(params);
  return parsed.success ? parsed.data.threadId : undefined;
}
