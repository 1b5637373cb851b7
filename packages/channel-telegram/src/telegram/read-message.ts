import type { Message, UserFromGetMe } from 'grammy/types';
import { nameLine, nameOf } from './names.ts';
import type { Place } from './place.ts';
import { isForwarded, shownText } from './shown-text.ts';

export interface Person {
  readonly id: string;
  readonly name: string;
}

interface Received {
  readonly place: Place;
  readonly messageId: number;
}

export interface TextMessage extends Received {
  readonly type: 'text';
  readonly body: string;
  readonly sender: Person;
  readonly isEdit: boolean;
  /** What the person shows, without our notes: an edit that leaves it as it was says nothing. */
  readonly shown: string;
  /** Names this text of this message: an edit is another one. */
  readonly externalId: string;
  readonly replyToMessageId: number | null;
}

export interface CommandMessage extends Received {
  readonly type: 'command';
  readonly name: CommandName;
  readonly argument: string;
  readonly sender: Person;
}

/** What a message asks of the channel. `nothing`: it is no business of ours, such as somebody joining a group. */
export type ReadMessage =
  | TextMessage
  | CommandMessage
  | (Received & { readonly type: 'unsupported' })
  | (Received & { readonly type: 'nothing' });

export const commandNames = ['start', 'help', 'status', 'agents', 'bind', 'unbind'] as const;
export type CommandName = (typeof commandNames)[number];

/** Content that people send and that is no text. */
const otherContent = [
  'animation',
  'audio',
  'checklist',
  'contact',
  'dice',
  'document',
  'game',
  'location',
  'paid_media',
  'photo',
  'poll',
  'sticker',
  'story',
  'venue',
  'video',
  'video_note',
  'voice',
] as const satisfies readonly (keyof Message)[];

export function readMessage(message: Message, me: Pick<UserFromGetMe, 'username'>): ReadMessage {
  const received = { place: placeOfMessage(message), messageId: message.message_id };
  const isEdit = message.edit_date !== undefined;
  const sender = senderOf(message);
  if (sender === null) return { type: 'nothing', ...received };
  const other = otherContent.find((kind) => message[kind] !== undefined);
  const text = message.text ?? message.caption;
  if (text === undefined || text.trim() === '') return { type: other !== undefined && !isEdit ? 'unsupported' : 'nothing', ...received };
  const command = readCommand(message, me);
  if (command === 'not ours') return { type: 'nothing', ...received };
  if (command !== null) return isEdit ? { type: 'nothing', ...received } : { type: 'command', ...command, sender, ...received };
  const notes = [isEdit ? '(edited)' : '', other === undefined ? '' : `(with a ${other.replace('_', ' ')} that is not passed on)`];
  const shown = shownText(message);
  return {
    type: 'text',
    body: [...notes.filter((note) => note !== ''), shown].join('\n'),
    sender,
    isEdit,
    shown,
    externalId: isEdit ? `${message.message_id}@${message.edit_date}` : `${message.message_id}`,
    replyToMessageId: isEdit ? message.message_id : repliedTo(message),
    ...received,
  };
}

/** The message that an external id of this channel names, an edited one included. */
export const messageIdOf = (externalId: string): number | null => {
  const [, id] = /^([1-9]\d{0,15})(?:@\d+)?$/u.exec(externalId) ?? [];
  return id === undefined ? null : Number(id);
};

export function placeOfMessage({
  chat,
  is_topic_message,
  message_thread_id,
}: Pick<Message, 'chat' | 'is_topic_message' | 'message_thread_id'>): Place {
  // Replies in plain groups carry a thread as well; only a forum's topics are conversations of their own.
  return { chatId: chat.id, topicId: is_topic_message ? (message_thread_id ?? null) : null };
}

/** In a topic, what answers nothing else answers the message that opened the topic. */
function repliedTo({ reply_to_message: reply, message_thread_id, is_topic_message }: Message): number | null {
  if (reply === undefined) return null;
  const isOpening = reply.forum_topic_created !== undefined || (is_topic_message && reply.message_id === message_thread_id);
  return isOpening ? null : reply.message_id;
}

/** Who speaks; a group's anonymous administrators and linked channels speak as a chat. Null for bots, so that two never talk to each other. */
function senderOf({ from, sender_chat: chat }: Message): Person | null {
  if (chat !== undefined) return { id: `${chat.id}`, name: nameLine(chat.title ?? `chat ${chat.id}`) };
  if (from === undefined || from.is_bot) return null;
  return { id: `${from.id}`, name: nameOf(from) };
}

/** A command that this bot knows; text with a slash that it does not know is for the agent, one for another bot for nobody here. */
function readCommand(
  message: Message,
  { username }: Pick<UserFromGetMe, 'username'>,
): { readonly name: CommandName; readonly argument: string } | 'not ours' | null {
  const { text, entities } = message;
  // Who forwards a command shows it, and gives none.
  if (isForwarded(message)) return null;
  const entity = entities?.find(({ type, offset }) => type === 'bot_command' && offset === 0);
  if (text === undefined || entity === undefined) return null;
  const [word = '', addressee] = text.slice(1, entity.length).split('@');
  if (addressee !== undefined && addressee.toLowerCase() !== username.toLowerCase()) return 'not ours';
  const name = commandNames.find((each) => each === word.toLowerCase());
  return name === undefined ? null : { name, argument: text.slice(entity.length).trim() };
}
