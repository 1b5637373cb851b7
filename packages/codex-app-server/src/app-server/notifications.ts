import { count, lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';
import { ThreadItemSchema } from './items.ts';

const thread = { threadId: z.string() };
const inTurn = { ...thread, turnId: z.string() };
const inItem = { ...inTurn, itemId: z.string() };

/** One word (`serverOverloaded`) or an object whose only key is the word (`{ httpConnectionFailed: { httpStatusCode } }`). */
const ErrorInfoSchema = lenient(z.union([z.string(), z.record(z.string(), z.unknown())]));
export const TurnErrorSchema = z.looseObject({
  message: z.string().catch('The turn failed'),
  codexErrorInfo: ErrorInfoSchema,
  additionalDetails: lenient(z.string()),
});
export type TurnError = z.infer<typeof TurnErrorSchema>;

export const TurnSchema = z.looseObject({
  id: z.string(),
  /** Unreadable it proves nothing, neither that the turn runs nor that it went well. */
  status: z.string().catch(''),
  items: lenientList(ThreadItemSchema),
  error: lenient(TurnErrorSchema),
  durationMs: lenient(z.number().min(0)),
});
export type Turn = z.infer<typeof TurnSchema>;

export const ThreadStatusSchema = z.looseObject({ type: z.string(), activeFlags: lenientList(z.string()) });
export type ThreadStatus = z.infer<typeof ThreadStatusSchema>;

const tokens = z
  .looseObject({
    totalTokens: count,
    inputTokens: count,
    cachedInputTokens: count,
    outputTokens: count,
    reasoningOutputTokens: count,
  })
  .catch({ totalTokens: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningOutputTokens: 0 });

const hookRun = z.looseObject({
  id: z.string(),
  eventName: z.string().catch('unknown'),
  sourcePath: lenient(z.string()),
  status: z.string().catch(''),
  entries: lenientList(z.looseObject({ text: lenient(z.string()) })),
});
export type CodexHookRun = z.infer<typeof hookRun>;

const rateLimitWindow = z.looseObject({
  usedPercent: z.number().catch(0),
  windowDurationMins: lenient(z.number()),
  /** In seconds. */
  resetsAt: lenient(z.number()),
});
export type RateLimitWindow = z.infer<typeof rateLimitWindow>;

export const notificationSchemas = {
  'thread/status/changed': z.looseObject({ ...thread, status: ThreadStatusSchema }),
  'thread/closed': z.looseObject(thread),
  'thread/tokenUsage/updated': z.looseObject({
    ...inTurn,
    tokenUsage: z.looseObject({ last: tokens, modelContextWindow: count }),
  }),
  'turn/started': z.looseObject({ ...thread, turn: TurnSchema }),
  'turn/completed': z.looseObject({ ...thread, turn: TurnSchema }),
  'turn/plan/updated': z.looseObject({ ...inTurn, plan: lenientList(z.looseObject({ step: z.string(), status: z.string().catch('') })) }),
  'item/started': z.looseObject({ ...inTurn, item: ThreadItemSchema }),
  'item/completed': z.looseObject({ ...inTurn, item: ThreadItemSchema }),
  'item/agentMessage/delta': z.looseObject({ ...inItem, delta: z.string() }),
  'item/reasoning/summaryTextDelta': z.looseObject({ ...inItem, delta: z.string() }),
  'item/reasoning/textDelta': z.looseObject({ ...inItem, delta: z.string() }),
  'item/commandExecution/outputDelta': z.looseObject({ ...inItem, delta: z.string() }),
  'mcpServer/startupStatus/updated': z.looseObject({ name: z.string(), status: z.string(), error: lenient(z.string()) }),
  'serverRequest/resolved': z.looseObject({ ...thread, requestId: z.union([z.string(), z.number()]) }),
  'turn/diff/updated': z.looseObject({ ...inTurn, diff: z.string() }),
  'hook/started': z.looseObject({ ...thread, turnId: lenient(z.string()), run: hookRun }),
  'hook/completed': z.looseObject({ ...thread, turnId: lenient(z.string()), run: hookRun }),
  warning: z.looseObject({ threadId: lenient(z.string()), message: z.string() }),
  guardianWarning: z.looseObject({ ...thread, message: z.string() }),
  configWarning: z.looseObject({ summary: z.string(), details: lenient(z.string()), path: lenient(z.string()) }),
  deprecationNotice: z.looseObject({ summary: z.string(), details: lenient(z.string()) }),
  'account/updated': z.looseObject({ authMode: lenient(z.string()) }),
  'account/login/completed': z.looseObject({ success: z.boolean(), error: lenient(z.string()) }),
  'account/rateLimits/updated': z.looseObject({
    rateLimits: z.looseObject({
      limitName: lenient(z.string()),
      primary: lenient(rateLimitWindow),
      secondary: lenient(rateLimitWindow),
      rateLimitReachedType: lenient(z.string()),
    }),
  }),
  /** A word of this client: what a sub-agent that this thread started says, under the call that started it. */
  'client/subAgent': z.looseObject({
    ...inItem,
    notification: z.object({ method: z.string(), params: z.unknown().optional() }),
  }),
  /** A word of this client: whether another program writes the thread. */
  'client/attachedElsewhere': z.looseObject({ ...thread, isElsewhere: z.boolean() }),
  error: z.looseObject({
    ...thread,
    turnId: lenient(z.string()),
    error: TurnErrorSchema.catch({ message: 'The turn failed' }),
    willRetry: z.boolean().catch(false),
  }),
} as const;

export type KnownMethod = keyof typeof notificationSchemas;
export type KnownNotification = {
  [Method in KnownMethod]: { readonly method: Method; readonly params: z.infer<(typeof notificationSchemas)[Method]> };
}[KnownMethod];

/** A notification as Codex sent it. */
export interface CodexNotification {
  readonly method: string;
  readonly params: unknown;
}

const isKnownMethod = (method: string): method is KnownMethod => Object.hasOwn(notificationSchemas, method);

/** The notification with the types of what is read here; `undefined` for one that has no use here or does not look as expected. */
export function parseNotification({ method, params }: CodexNotification): KnownNotification | undefined {
  if (!isKnownMethod(method)) return undefined;
  const parsed = notificationSchemas[method].safeParse(params);
  // The table pairs each method with its own schema, which TypeScript cannot follow through a union of keys.
  return parsed.success ? ({ method, params: parsed.data } as KnownNotification) : undefined;
}

/** What a sub-agent said. */
export function parseSubAgent({ params }: Extract<KnownNotification, { method: 'client/subAgent' }>): KnownNotification | undefined {
  const { method, params: said } = params.notification;
  return parseNotification({ method, params: said });
}

/** Older server requests call the thread a conversation. */
const Addressed = z.object({ threadId: z.string().optional(), conversationId: z.string().optional() });

/** The thread that a notification or server request is about. */
export function threadIdOf(params: unknown): string | undefined {
  const { threadId, conversationId } = Addressed.safeParse(params).data ?? {};
  return threadId ?? conversationId;
}
