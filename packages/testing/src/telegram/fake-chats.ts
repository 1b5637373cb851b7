import { BotApiError, badRequest } from './bot-api-error.ts';
import type { Parameters } from './methods.ts';

export interface FakeChatOptions {
  readonly id: number;
  readonly type?: 'private' | 'group' | 'supergroup';
  readonly title?: string;
  /** Forum topics that exist. */
  readonly topics?: readonly number[];
}

export interface FakeUser {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
}

/** One message of a chat, in the Bot API's own words. */
export interface FakeMessage {
  readonly message_id: number;
  readonly date: number;
  readonly chat: { readonly id: number; readonly type: string; readonly title?: string };
  readonly from?: FakeUser;
  readonly message_thread_id?: number;
  readonly is_topic_message?: boolean;
  readonly text?: string;
  readonly entities?: readonly object[];
  readonly reply_to_message?: FakeMessage;
  readonly reply_markup?: { readonly inline_keyboard: readonly (readonly { readonly text: string; readonly callback_data: string }[])[] };
  readonly edit_date?: number;
  readonly [content: string]: unknown;
}

export interface FakeChat {
  readonly id: number;
  readonly type: string;
  readonly title: string | undefined;
  readonly topics: ReadonlySet<number>;
  readonly messages: FakeMessage[];
  isBlocked: boolean;
}

const MAX_TEXT = 4096;
const MAX_CALLBACK_DATA_BYTES = 64;

export type Outgoing = Parameters<'sendMessage'> | Parameters<'editMessageText'>;

/** The refusals of `sendMessage` and `editMessageText` that depend on the text and its buttons alone. */
export function checkText({ text, entities = [], reply_markup }: Pick<Outgoing, 'text' | 'entities' | 'reply_markup'>): void {
  if (/\p{Surrogate}/u.test(text)) throw badRequest('strings must be encoded in UTF-8');
  if (text.trim() === '') throw badRequest('message text is empty');
  if (text.length > MAX_TEXT) throw badRequest('message is too long');
  for (const { offset, length } of entities) {
    const isInside = offset + length <= text.length && !isMiddleOfPair(text, offset) && !isMiddleOfPair(text, offset + length);
    if (!isInside) throw badRequest('ENTITY_BOUNDS_INVALID');
  }
  for (const { callback_data } of reply_markup?.inline_keyboard.flat() ?? []) {
    if (Buffer.byteLength(callback_data) > MAX_CALLBACK_DATA_BYTES) throw badRequest('BUTTON_DATA_INVALID');
  }
}

/** Where a message of the bot may go. */
export function checkPlace(chat: FakeChat | undefined, { message_thread_id, reply_parameters }: Parameters<'sendMessage'>): FakeChat {
  if (chat === undefined) throw badRequest('chat not found');
  if (chat.isBlocked) throw new BotApiError(403, 'Forbidden: bot was blocked by the user');
  if (message_thread_id !== undefined && !chat.topics.has(message_thread_id)) throw badRequest('message thread not found');
  const isReplyKnown = chat.messages.some(({ message_id }) => message_id === reply_parameters?.message_id);
  if (reply_parameters && !isReplyKnown && reply_parameters.allow_sending_without_reply !== true)
    throw badRequest('message to be replied not found');
  return chat;
}

function isMiddleOfPair(text: string, index: number): boolean {
  return /[\uD800-\uDBFF]/.test(text[index - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[index] ?? '');
}
