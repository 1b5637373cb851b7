import { RelayError } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import type { CallbackQuery, Message, Update, UserFromGetMe } from 'grammy/types';
import type { ChannelPort } from './channel-port.ts';
import { answerCommand } from './commands.ts';
import { NoticeLimit } from './notice-limit.ts';
import type { Notices } from './notices.ts';
import type { StateFile } from './state-file.ts';
import { conversationIdOf, type Place } from './telegram/place.ts';
import { readMessage, type TextMessage } from './telegram/read-message.ts';

export interface InboundOptions {
  readonly port: ChannelPort;
  readonly notices: Pick<Notices, 'say'>;
  readonly me: Pick<UserFromGetMe, 'username'>;
  readonly allowedChats: ReadonlySet<number>;
  readonly onPress: (query: CallbackQuery) => Promise<void>;
  /** What to say to a reply that answers a question of an agent's; null for any other, which is passed on. */
  readonly onReply: (message: Message, repliedTo: number) => Promise<string | null>;
  readonly state: Pick<StateFile, 'received' | 'wasReceived'>;
  readonly log: Log;
  readonly clock: { now(): number };
  /** Resolves once what is on its way into this conversation is there, or takes long. */
  readonly sentTo: (conversationId: string) => Promise<void>;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What people do in their chats, brought to the relay. */
export class Inbound {
  readonly #options: InboundOptions;
  readonly #refusals: NoticeLimit;
  readonly #textOnly: NoticeLimit;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#refusals = new NoticeLimit({ clock: options.clock, intervalMs: HOUR_MS, chats: 100 });
    this.#textOnly = new NoticeLimit({ clock: options.clock, intervalMs: MINUTE_MS, chats: 1000 });
  }

  /** Resolves once the relay has stored the text, or will never take it and the person was told. @throws the reason for which this process no longer is the channel. */
  async handle(update: Update): Promise<void> {
    const message = update.message ?? update.edited_message;
    try {
      if (update.callback_query) await this.#options.onPress(update.callback_query);
      else if (message) await this.#handleMessage(message);
    } catch (error) {
      const { port } = this.#options;
      port.signal.throwIfAborted();
      if (error instanceof RelayError && error.code === 'stale_session') throw error;
      // An update that cannot be handled would otherwise come again for ever and keep all others out.
      this.#options.log.error('an update could not be handled', { updateId: update.update_id, error });
      if (message)
        this.#say(
          { chatId: message.chat.id, topicId: null },
          'This could not be passed on: something went wrong here.',
          message.message_id,
        );
    }
  }

  async #handleMessage(message: Message): Promise<void> {
    const { me, allowedChats, port } = this.#options;
    const read = readMessage(message, me);
    if (read.type === 'nothing') return;
    if (!allowedChats.has(read.place.chatId)) return this.#refuse(read.place);
    switch (read.type) {
      case 'text': {
        const { replyToMessageId, isEdit } = read;
        const said = replyToMessageId === null || isEdit ? null : await this.#options.onReply(message, replyToMessageId);
        return said === null ? this.#pass(read) : this.#say(read.place, said, read.messageId);
      }
      case 'command':
        return this.#say(read.place, await answerCommand(read, port), read.messageId);
      case 'unsupported':
        if (this.#textOnly.allows(read.place.chatId)) this.#say(read.place, 'Only text is passed on so far.', read.messageId);
    }
  }

  async #pass({ place, messageId, body, sender, externalId, replyToMessageId, isEdit, shown }: TextMessage): Promise<void> {
    const { port, log, state } = this.#options;
    const post = { chatId: place.chatId, messageId };
    // Telegram tells of an edit also when somebody reacted to a message, or a preview of its link came: the order stands and is no second one.
    if (isEdit && state.wasReceived(post, shown)) return;
    const conversationId = conversationIdOf(place);
    // What it answers may have been shown a moment ago: before the relay knows under which name, the answer would find no thread.
    if (replyToMessageId !== null) await this.#options.sentTo(conversationId);
    const text = {
      conversationId,
      body,
      sender,
      externalId,
      ...(replyToMessageId !== null && { replyToExternalId: `${replyToMessageId}` }),
    };
    try {
      const { messages, created } = await port.receive(text);
      state.received(post, shown);
      log.debug('a text was passed on', { conversationId, externalId, created });
      if (created && messages.every(({ matched }) => matched === 0)) {
        this.#say(place, `Nobody belongs to ${messages.map(({ to }) => to).join(', ')} at the moment, so nobody got this.`, messageId);
      }
    } catch (error) {
      if (!(error instanceof RelayError) || error.code === 'stale_session' || port.signal.aborted) throw error;
      log.info('the relay did not take a text', { conversationId, externalId, code: error.code });
      const unbound =
        'Nobody is bound to this chat, so this was not passed on. /agents lists who is there, /bind Worker binds one of them.';
      this.#say(place, error.code === 'unbound_conversation' ? unbound : `This was not passed on: ${error.message}`, messageId);
    }
  }

  #refuse(place: Place): void {
    if (!this.#refusals.allows(place.chatId)) return;
    this.#options.log.info('a chat that is not allowed wrote', { chatId: place.chatId });
    this.#say(place, `Sorry, this bot does not serve this chat. Its id is ${place.chatId}; who runs the bot can allow it.`);
  }

  #say(place: Place, text: string, replyTo: number | null = null): void {
    this.#options.notices.say(place, text, replyTo);
  }
}
