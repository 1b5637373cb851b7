import { type Log, retryWhileRetryable, sleep } from 'agent-relay-wire';
import type { Binding, ChannelPort, OutgoingMail } from './channel-port.ts';
import { boundTo } from './commands.ts';
import type { StateFile } from './state-file.ts';
import type { Text } from './telegram/bot-api.ts';
import { type ChatSender, TelegramRefusal } from './telegram/chat-sender.ts';
import { formatMarkdown } from './telegram/format-markdown.ts';
import { type Place, placeOf } from './telegram/place.ts';
import { messageIdOf } from './telegram/read-message.ts';
import { splitText } from './telegram/split-text.ts';

export interface OutboundOptions {
  readonly port: Pick<ChannelPort, 'outgoing' | 'bindings'>;
  readonly sender: Pick<ChatSender, 'send'>;
  readonly state: Pick<StateFile, 'sentParts' | 'partSent' | 'forgetParts'>;
  readonly allowedChats: ReadonlySet<number>;
  readonly log: Log;
  /** Takes no further mail. */
  readonly stopping: AbortSignal;
  /** Gives up what is in hand; it comes again. */
  readonly cutting: AbortSignal;
}

/** How long a message may take before the next one need not wait for it, unless it goes to the same chat. */
const PATIENCE_MS = 1500;
/** Fewer than the relay hands out before something is settled. */
const MAX_IN_HAND = 32;

/** Brings the agents' mail to the chats: in order within a chat, and no slow chat holds up another for long. */
export class Outbound {
  readonly #options: OutboundOptions;
  readonly #chats = new Map<string, Promise<void>>();
  readonly #inHand = new Set<Promise<void>>();

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Until `stopping`, and then until what is in hand is done. @throws TelegramFatal, RelayError `stale_session`, or the reason of `cutting`. */
  async run(): Promise<void> {
    for await (const mail of this.#options.port.outgoing({ signal: this.#options.stopping })) {
      const delivery = this.#inTurn(mail);
      await Promise.race([delivery, sleep(PATIENCE_MS, { signal: this.#options.stopping })]);
      if (this.#inHand.size >= MAX_IN_HAND) await Promise.race(this.#inHand);
    }
    await Promise.all(this.#inHand);
  }

  /** Once what goes to a conversation is there and the relay knows what Telegram calls it; waits for it a moment at most. Never rejects. */
  async settled(conversationId: string): Promise<void> {
    const going = this.#chats.get(conversationId);
    if (going === undefined) return;
    const done = going.catch(() => {}); // told by `run`
    await Promise.race([done, sleep(PATIENCE_MS)]);
  }

  /** Behind what goes to the same conversation. */
  #inTurn(mail: OutgoingMail): Promise<void> {
    const chat = mail.conversationId ?? '';
    const before = this.#chats.get(chat) ?? Promise.resolve();
    const delivery = before.then(() => this.#deliver(mail));
    this.#chats.set(chat, delivery);
    this.#inHand.add(delivery);
    void delivery.then(
      () => {
        this.#inHand.delete(delivery);
        if (this.#chats.get(chat) === delivery) this.#chats.delete(chat);
      },
      // Stays in hand, so that `run` fails with it.
      () => {},
    );
    return delivery;
  }

  async #deliver(mail: OutgoingMail): Promise<void> {
    const { log, state, allowedChats } = this.#options;
    const { id } = mail.message;
    if (mail.conversationId === null) return mail.failed();
    const place = placeOf(mail.conversationId);
    if (place === null) return mail.failed(`${mail.conversationId} names no Telegram chat`);
    if (!allowedChats.has(place.chatId)) return mail.failed(`the chat ${place.chatId} is not allowed here`);
    try {
      await mail.sent(await this.#send(mail, place, mail.conversationId));
    } catch (error) {
      if (!(error instanceof TelegramRefusal)) throw error;
      log.info('Telegram refused a message', { messageId: id, chatId: place.chatId, reason: error.message });
      const partly = state.sentParts(id).length > 0 ? ', after a part of it was sent' : '';
      await mail.failed(`Telegram: ${error.message}${partly}`);
    }
    state.forgetParts(id);
  }

  /** What Telegram called the parts. Goes on behind those that were sent before. */
  async #send({ message, replyToExternalId }: OutgoingMail, place: Place, conversationId: string): Promise<readonly string[]> {
    const { sender, state, log, port, cutting } = this.#options;
    const bindings = await retryWhileRetryable(() => port.bindings(), {
      signal: cutting,
      onRetry: (error) => log.warn('the relay cannot be reached, trying again', { error }),
    });
    const replyTo = replyToExternalId === null ? null : messageIdOf(replyToExternalId);
    const parts = splitText(outboundText(message, boundTo(conversationId, bindings)));
    for (const [index, part] of parts.entries()) {
      if (index < state.sentParts(message.id).length) continue;
      const options = { replyToMessageId: index === 0 ? replyTo : null };
      const sent = await sendFormatted(part, (formatted) => sender.send(place, formatted, options), log);
      state.partSent(message.id, `${sent.message_id}`);
    }
    return state.sentParts(message.id);
  }
}

/** In a chat that belongs to one agent, its words stand alone; elsewhere they say whose they are. */
export function outboundText({ from, subject, body }: OutgoingMail['message'], bound: readonly Binding[]): string {
  const [only, ...others] = bound;
  const isItsOwn = only?.mode === 'exclusive' && others.length === 0 && only.target === `id:${from}`;
  const text = body.replace(/\p{Surrogate}/gu, '\uFFFD');
  return [isItsOwn ? '' : `${from}:`, subject ?? '', text.trim() === '' ? '(an empty message)' : text]
    .filter((line) => line !== '')
    .join('\n');
}

/** Formatted where Telegram takes the formatting, plain where it does not. */
async function sendFormatted<Sent>(part: string, send: (text: Text) => Promise<Sent>, log: Log): Promise<Sent> {
  const formatted = formatMarkdown(part);
  if (formatted.entities === undefined) return send({ text: part });
  try {
    return await send(formatted);
  } catch (error) {
    if (!(error instanceof TelegramRefusal && /entit/iu.test(error.message))) throw error;
    log.warn('Telegram refused the formatting of a message', { reason: error.message });
    return send({ text: part });
  }
}
