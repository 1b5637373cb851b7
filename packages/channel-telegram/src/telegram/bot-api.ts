import type { CallbackQuery, InlineKeyboardMarkup, Message, MessageEntity, Update, UserFromGetMe } from 'grammy/types';
import { Api } from 'grammy/web';
import type { Place } from './place.ts';

export interface BotApiOptions {
  readonly token: string;
  readonly apiRoot: string;
}

export interface Text {
  readonly text: string;
  readonly entities?: readonly MessageEntity[];
}

export interface SendOptions {
  readonly replyToMessageId?: number | null;
  readonly keyboard?: InlineKeyboardMarkup;
}

/** The few verbs of the Bot API that this channel uses. They reject with grammY's errors, see `judgeFailure`. */
export interface BotApi {
  me(signal: AbortSignal): Promise<UserFromGetMe>;
  /** A bot with a webhook may not poll. */
  dropWebhook(signal: AbortSignal): Promise<void>;
  setCommands(commands: readonly { readonly command: string; readonly description: string }[], signal: AbortSignal): Promise<void>;
  updates(request: { readonly offset: number; readonly waitSeconds: number }, signal: AbortSignal): Promise<readonly Update[]>;
  send(place: Place, text: Text, options: SendOptions, signal: AbortSignal): Promise<Message>;
  edit(post: { readonly chatId: number; readonly messageId: number }, text: Text, signal: AbortSignal): Promise<void>;
  answerPress(id: CallbackQuery['id'], text: string, signal: AbortSignal): Promise<void>;
}

/** A long poll takes this long at most; beyond it the connection counts as dead. */
const CALL_LIMIT_SECONDS = 60;
const updateKinds = ['message', 'edited_message', 'callback_query'] as const;
const quiet = { link_preview_options: { is_disabled: true } };

export function createBotApi({ token, apiRoot }: BotApiOptions): BotApi {
  const api = new Api(token, { apiRoot, timeoutSeconds: CALL_LIMIT_SECONDS });
  return {
    me: (signal) => api.getMe(asGrammySignal(signal)),
    dropWebhook: async (signal) => {
      await api.deleteWebhook({}, asGrammySignal(signal));
    },
    setCommands: async (commands, signal) => {
      await api.setMyCommands([...commands], {}, asGrammySignal(signal));
    },
    updates: ({ offset, waitSeconds }, signal) =>
      api.getUpdates({ ...(offset > 0 && { offset }), timeout: waitSeconds, allowed_updates: updateKinds }, asGrammySignal(signal)),
    send: ({ chatId, topicId }, { text, entities }, { replyToMessageId = null, keyboard }, signal) =>
      api.sendMessage(
        chatId,
        text,
        {
          ...quiet,
          ...(topicId !== null && { message_thread_id: topicId }),
          ...(entities && entities.length > 0 && { entities: [...entities] }),
          ...(replyToMessageId !== null && { reply_parameters: { message_id: replyToMessageId, allow_sending_without_reply: true } }),
          ...(keyboard && { reply_markup: keyboard }),
        },
        asGrammySignal(signal),
      ),
    edit: async ({ chatId, messageId }, { text, entities }, signal) => {
      await api.editMessageText(
        chatId,
        messageId,
        text,
        { ...quiet, ...(entities && entities.length > 0 && { entities: [...entities] }) },
        asGrammySignal(signal),
      );
    },
    answerPress: async (id, text, signal) => {
      await api.answerCallbackQuery(id, { text }, asGrammySignal(signal));
    },
  };
}

type GrammySignal = NonNullable<Parameters<Api['getMe']>[0]>;
// grammY types the signal of a polyfill it no longer needs; it only listens and reads `aborted`.
const asGrammySignal = (signal: AbortSignal): GrammySignal => signal as unknown as GrammySignal;
