import { z } from 'zod';

const MessageId = z.int().min(1);
const ChatId = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d+$/u)
    .transform(Number),
]);
const Entity = z.strictObject({ type: z.string(), offset: z.int().min(0), length: z.int().min(1), language: z.string().optional() });
const InlineKeyboard = z.strictObject({
  inline_keyboard: z.array(z.array(z.strictObject({ text: z.string().min(1), callback_data: z.string().min(1) }))),
});

/** What this fake knows of the Bot API, as strictly as its documentation. A parameter it does not know is a fault of the caller. */
export const methodParameters = {
  getMe: z.strictObject({}),
  deleteWebhook: z.strictObject({ drop_pending_updates: z.boolean().optional() }),
  setMyCommands: z.strictObject({
    commands: z.array(
      z.strictObject({ command: z.string().regex(/^[a-z0-9_]{1,32}$/u, 'BOT_COMMAND_INVALID'), description: z.string().min(1).max(256) }),
    ),
  }),
  getUpdates: z.strictObject({
    offset: z.int().min(0).default(0),
    limit: z.int().min(1).max(100).default(100),
    timeout: z.int().min(0).max(50).default(0),
    allowed_updates: z.array(z.string()).optional(),
  }),
  sendMessage: z.strictObject({
    chat_id: ChatId,
    message_thread_id: MessageId.optional(),
    text: z.string(),
    entities: z.array(Entity).optional(),
    link_preview_options: z.strictObject({ is_disabled: z.boolean() }).optional(),
    reply_parameters: z.strictObject({ message_id: MessageId, allow_sending_without_reply: z.boolean().optional() }).optional(),
    reply_markup: InlineKeyboard.optional(),
  }),
  editMessageText: z.strictObject({
    chat_id: ChatId,
    message_id: MessageId,
    text: z.string(),
    entities: z.array(Entity).optional(),
    link_preview_options: z.strictObject({ is_disabled: z.boolean() }).optional(),
    reply_markup: InlineKeyboard.optional(),
  }),
  answerCallbackQuery: z.strictObject({
    callback_query_id: z.string(),
    text: z.string().max(200).optional(),
    show_alert: z.boolean().optional(),
  }),
} as const;

export type MethodName = keyof typeof methodParameters;
export type Parameters<Name extends MethodName> = z.output<(typeof methodParameters)[Name]>;

export const isMethodName = (name: string): name is MethodName => Object.hasOwn(methodParameters, name);
