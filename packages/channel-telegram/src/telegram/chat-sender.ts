import { backoffDelays, type Log, sleep } from 'agent-relay-wire';
import type { Message } from 'grammy/types';
import type { BotApi, SendOptions, Text } from './bot-api.ts';
import { judgeFailure } from './judge-failure.ts';
import type { Place } from './place.ts';

/** Telegram will never do this: the reason in its words. */
export class TelegramRefusal extends Error {
  readonly status: number;

  constructor(reason: string, status: number) {
    super(reason);
    this.name = 'TelegramRefusal';
    this.status = status;
  }
}

/** Telegram will do nothing more for this bot. */
export class TelegramFatal extends Error {
  override readonly name = 'TelegramFatal';
}

export interface ChatSenderOptions {
  readonly api: BotApi;
  readonly clock: { now(): number };
  readonly log: Log;
  /** Ends waits and calls: what was not sent stays unsent. */
  readonly signal: AbortSignal;
  /** Telegram takes about one message per chat and second. */
  readonly intervalMs: number;
}

/** A server that answers the same request with an error this often does not like the request. */
const MAX_ANSWERED_FAILURES = 8;

/**
 * Writes to chats, one message at a time in each and no faster than Telegram likes. Waits out rate limits and broken connections.
 *
 * A call whose answer was lost is made again: Telegram has no idempotency, so a message may then appear twice, but none disappears.
 */
export class ChatSender {
  readonly #options: ChatSenderOptions;
  readonly #lanes = new Map<number, Promise<unknown>>();
  readonly #freeAt = new Map<number, number>();

  constructor(options: ChatSenderOptions) {
    this.#options = options;
  }

  /** @throws TelegramRefusal, TelegramFatal, or the signal's reason. */
  send(place: Place, text: Text, options: SendOptions = {}): Promise<Message> {
    return this.#inLane(place.chatId, (signal) => this.#options.api.send(place, text, options, signal));
  }

  /** @throws TelegramRefusal, TelegramFatal, or the signal's reason. */
  edit(post: { readonly chatId: number; readonly messageId: number }, text: Text): Promise<void> {
    return this.#inLane(post.chatId, (signal) => this.#options.api.edit(post, text, signal));
  }

  /** Resolves when everything that was asked for before has settled. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#lanes.values());
  }

  #inLane<Answer>(chatId: number, call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const before = this.#lanes.get(chatId) ?? Promise.resolve();
    const turn = before.then(() => this.#inTurn(chatId, call));
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#lanes.set(chatId, settled);
    void settled.then(() => {
      if (this.#lanes.get(chatId) === settled) this.#lanes.delete(chatId);
    });
    return turn;
  }

  async #inTurn<Answer>(chatId: number, call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const { clock, intervalMs, signal } = this.#options;
    await sleep(Math.max(0, (this.#freeAt.get(chatId) ?? 0) - clock.now()), { signal });
    try {
      return await this.#untilAnswered(chatId, call);
    } finally {
      for (const [id, freeAt] of this.#freeAt) if (freeAt <= clock.now()) this.#freeAt.delete(id);
      this.#freeAt.set(chatId, clock.now() + intervalMs);
    }
  }

  async #untilAnswered<Answer>(chatId: number, call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const { signal, log } = this.#options;
    const delays = backoffDelays({ initialMs: 500 });
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      try {
        return await call(signal);
      } catch (error) {
        signal.throwIfAborted();
        const verdict = judgeFailure(error);
        if (verdict === null) throw error;
        if (verdict.type === 'fatal') throw new TelegramFatal(verdict.reason, { cause: error });
        if (verdict.type === 'refused') throw new TelegramRefusal(verdict.reason, verdict.status);
        if (verdict.type === 'retry' && verdict.isAnswered) failures += 1;
        if (failures >= MAX_ANSWERED_FAILURES) throw new TelegramRefusal('Telegram keeps answering with an error of its own', 500);
        const waitMs = verdict.type === 'wait' ? verdict.ms : delays.next().value;
        log.warn('Telegram did not take a message, trying again', { chatId, waitMs, error });
        await sleep(waitMs, { signal });
      }
    }
  }
}
