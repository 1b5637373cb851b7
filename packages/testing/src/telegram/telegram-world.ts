import { type Exchange, writeJson } from '../endpoint/http-endpoint.ts';
import { BotApiError, badRequest } from './bot-api-error.ts';
import { checkPlace, checkText, type FakeChat, type FakeChatOptions, type FakeMessage, type FakeUser } from './fake-chats.ts';
import { isMethodName, type MethodName, methodParameters, type Parameters } from './methods.ts';
import { UpdateQueue } from './update-queue.ts';

/** What happens to a call instead: an error of the API, a call that is not done, or one that is done and whose answer is lost. */
export type TelegramFault =
  | { readonly type: 'error'; readonly status: number; readonly description: string; readonly retryAfter?: number }
  | { readonly type: 'cut' }
  | { readonly type: 'lostAnswer' };

export interface PersonSays {
  readonly chatId: number;
  /** Default: the chat's own id, as in a private chat. */
  readonly userId?: number;
  readonly text?: string;
  readonly replyTo?: number;
  readonly topicId?: number;
  /** Further fields of the message, such as `caption` and `photo`. */
  readonly content?: object;
}

export interface FakeTelegramOptions {
  readonly chats: readonly FakeChatOptions[];
}

export const bot: FakeUser = { id: 4242, is_bot: true, first_name: 'Relay', username: 'relay_test_bot' };

/** The chats, the people in them, and the bot's side of the API. */
export class TelegramWorld {
  static readonly token = '4242:fake-token-of-the-relay-test-bot';
  readonly updates = new UpdateQueue();
  readonly #chats: ReadonlyMap<number, FakeChat>;
  readonly #faults = new Map<MethodName, TelegramFault[]>();
  readonly #queries = new Map<string, (answer: { readonly text: string | undefined }) => void>();
  #nextMessageId = 1;
  #nextQueryId = 1;

  constructor({ chats }: FakeTelegramOptions) {
    this.#chats = new Map(
      chats.map(({ id, type = id < 0 ? 'supergroup' : 'private', title, topics = [] }) => [
        id,
        { id, type, title, topics: new Set(topics), messages: [], isBlocked: false },
      ]),
    );
  }

  chat(id: number): FakeChat {
    const chat = this.#chats.get(id);
    if (chat === undefined) throw new Error(`the fake has no chat ${id}`);
    return chat;
  }

  failNext(method: MethodName, fault: TelegramFault): void {
    this.#faults.set(method, [...(this.#faults.get(method) ?? []), fault]);
  }

  mend(): void {
    this.#faults.clear();
  }

  says({ chatId, userId = Math.abs(chatId), text, replyTo, topicId, content = {} }: PersonSays): FakeMessage {
    const chat = this.chat(chatId);
    const reply = chat.messages.find(({ message_id }) => message_id === replyTo);
    const command = /^\/[a-z0-9_]+(?:@\w+)?/u.exec(text ?? '')?.[0];
    const message = this.#store(chat, person(userId), {
      ...(text === undefined ? {} : { text }),
      ...(command === undefined ? {} : { entities: [{ type: 'bot_command', offset: 0, length: command.length }] }),
      ...(topicId === undefined ? {} : { message_thread_id: topicId, is_topic_message: true }),
      // In a topic, what answers nothing else answers the message that opened it.
      ...(reply ? { reply_to_message: reply } : topicId === undefined ? {} : { reply_to_message: topicOpening(chat, topicId) }),
      ...content,
    });
    this.updates.add('message', message);
    return message;
  }

  edits(message: FakeMessage, text: string): FakeMessage {
    const edited = { ...message, text, edit_date: message.date + 60 };
    this.#replace(edited);
    this.updates.add('edited_message', edited);
    return edited;
  }

  presses(message: FakeMessage, button: string, userId = Math.abs(message.chat.id)): Promise<{ readonly text: string | undefined }> {
    const current = this.chat(message.chat.id).messages.find(({ message_id }) => message_id === message.message_id) ?? message;
    const pressed = current.reply_markup?.inline_keyboard.flat().find(({ text }) => text === button);
    if (!pressed) throw new Error(`message ${message.message_id} has no button ${button}`);
    const id = `query-${this.#nextQueryId}`;
    this.#nextQueryId += 1;
    const answered = new Promise<{ readonly text: string | undefined }>((resolve) => this.#queries.set(id, resolve));
    this.updates.add('callback_query', { id, from: person(userId), message: current, chat_instance: '1', data: pressed.callback_data });
    return answered;
  }

  async answer({ path, body, response, signal }: Exchange, report: (violation: string) => void): Promise<void> {
    const [, token = '', method = ''] = /^\/bot([^/]+)\/(\w+)$/u.exec(path) ?? [];
    const fail = ({ status, message, parameters }: BotApiError) =>
      writeJson(response, status, { ok: false, error_code: status, description: message, ...(parameters && { parameters }) });
    if (decodeURIComponent(token) !== TelegramWorld.token) return fail(new BotApiError(401, 'Unauthorized'));
    if (!isMethodName(method)) {
      report(`${method} is not faked`);
      return fail(new BotApiError(404, 'Not Found: method not found'));
    }
    const fault = this.#faults.get(method)?.shift();
    try {
      if (fault?.type === 'cut') return void response.socket?.destroy();
      if (fault?.type === 'error') throw asError(fault);
      const parsed = methodParameters[method].safeParse(body ?? {});
      if (!parsed.success) {
        report(`${method}: ${parsed.error.issues.map(({ path: where, message }) => `${where.join('.')} ${message}`).join('; ')}`);
        throw badRequest('wrong parameters');
      }
      const result = await this.#run(method, parsed.data, signal);
      if (fault?.type === 'lostAnswer') return void response.socket?.destroy();
      if (!signal.aborted) writeJson(response, 200, { ok: true, result });
    } catch (error) {
      if (!(error instanceof BotApiError)) throw error;
      if (error.message.endsWith('is too long') || error.message.includes('UTF-8')) report(`${method}: ${error.message}`);
      fail(error);
    }
  }

  // The parameters were parsed with the schema of this very method; the compiler cannot follow the key.
  #run(method: MethodName, parameters: unknown, signal: AbortSignal): unknown {
    switch (method) {
      case 'getMe':
        return { ...bot, can_join_groups: true, can_read_all_group_messages: false, supports_inline_queries: false };
      case 'deleteWebhook':
      case 'setMyCommands':
        return true;
      case 'getUpdates':
        return this.updates.take(parameters as Parameters<'getUpdates'>, signal);
      case 'sendMessage':
        return this.#send(parameters as Parameters<'sendMessage'>);
      case 'editMessageText':
        return this.#editText(parameters as Parameters<'editMessageText'>);
      case 'answerCallbackQuery':
        return this.#answerQuery(parameters as Parameters<'answerCallbackQuery'>);
    }
  }

  #send(parameters: Parameters<'sendMessage'>): FakeMessage {
    const { text, entities, reply_markup, reply_parameters, message_thread_id } = parameters;
    const chat = checkPlace(this.#chats.get(parameters.chat_id), parameters);
    checkText(parameters);
    const reply = chat.messages.find(({ message_id }) => message_id === reply_parameters?.message_id);
    return this.#store(chat, bot, {
      text: text.trim(),
      ...(entities && { entities }),
      ...(reply && { reply_to_message: reply }),
      ...(reply_markup && { reply_markup }),
      ...(message_thread_id !== undefined && { message_thread_id, is_topic_message: true }),
    });
  }

  #editText(parameters: Parameters<'editMessageText'>): FakeMessage {
    const { chat_id, message_id, text, entities, reply_markup } = parameters;
    checkText(parameters);
    const message = this.#chats.get(chat_id)?.messages.find((each) => each.message_id === message_id && each.from?.id === bot.id);
    if (message === undefined) throw badRequest('message to edit not found');
    if (message.text === text.trim() && JSON.stringify(message.reply_markup) === JSON.stringify(reply_markup)) {
      throw badRequest('message is not modified: specified new message content and reply markup are exactly the same as a current content');
    }
    const { reply_markup: _before, entities: _marked, ...kept } = message;
    const edited = {
      ...kept,
      text: text.trim(),
      edit_date: message.date + 60,
      ...(entities && { entities }),
      ...(reply_markup && { reply_markup }),
    };
    this.#replace(edited);
    return edited;
  }

  #answerQuery({ callback_query_id, text }: Parameters<'answerCallbackQuery'>): true {
    const answer = this.#queries.get(callback_query_id);
    if (answer === undefined) throw badRequest('query is too old and response timeout expired or query ID is invalid');
    this.#queries.delete(callback_query_id);
    answer({ text });
    return true;
  }

  #store(chat: FakeChat, from: FakeUser, content: object): FakeMessage {
    const { id, type, title } = chat;
    const date = Math.floor(Date.now() / 1000);
    const message = {
      message_id: this.#nextMessageId,
      date,
      from,
      chat: { id, type, ...(title === undefined ? {} : { title }) },
      ...content,
    };
    this.#nextMessageId += 1;
    chat.messages.push(message);
    return message;
  }

  #replace(message: FakeMessage): void {
    const { messages } = this.chat(message.chat.id);
    messages.splice(
      messages.findIndex(({ message_id }) => message_id === message.message_id),
      1,
      message,
    );
  }
}

const person = (id: number): FakeUser => ({ id, is_bot: false, first_name: `Person ${id}`, username: `person_${id}` });

function topicOpening(chat: FakeChat, topicId: number): object {
  return { message_id: topicId, date: 1, chat: { id: chat.id, type: chat.type }, forum_topic_created: { name: 'Topic', icon_color: 1 } };
}

function asError({ status, description, retryAfter }: Extract<TelegramFault, { type: 'error' }>): BotApiError {
  return new BotApiError(status, description, retryAfter === undefined ? undefined : { retry_after: retryAfter });
}
