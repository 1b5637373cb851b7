import type { Log } from 'agent-relay-wire';
import type { ChatSender } from './telegram/chat-sender.ts';
import type { Place } from './telegram/place.ts';

const MAX_WAITING = 200;

/** What the channel itself says in a chat. Nobody waits for it, so a slow chat holds up no other; it is not worth keeping when there is too much. */
export class Notices {
  readonly #sender: Pick<ChatSender, 'send'>;
  readonly #log: Log;
  #waiting = 0;

  constructor(sender: Pick<ChatSender, 'send'>, log: Log) {
    this.#sender = sender;
    this.#log = log;
  }

  say(place: Place, text: string, replyToMessageId: number | null = null): void {
    if (this.#waiting >= MAX_WAITING) {
      this.#log.warn('too many notices wait, dropping one', { chatId: place.chatId });
      return;
    }
    this.#waiting += 1;
    this.#sender
      .send(place, { text }, { replyToMessageId })
      .catch((error: unknown) => this.#log.warn('a notice could not be sent', { chatId: place.chatId, error }))
      .finally(() => {
        this.#waiting -= 1;
      });
  }
}
