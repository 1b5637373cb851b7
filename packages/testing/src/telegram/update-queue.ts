import { BotApiError } from './bot-api-error.ts';

export interface FakeUpdate {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

interface Poll {
  readonly allowedUpdates: readonly string[];
  readonly limit: number;
  readonly answer: (updates: readonly FakeUpdate[]) => void;
  readonly refuse: (error: BotApiError) => void;
}

/** Updates as Telegram keeps them: handed out again and again until an offset beyond them confirms them. */
export class UpdateQueue {
  #updates: FakeUpdate[] = [];
  #nextId = 1001;
  #waiting: Poll | null = null;
  #allowed: readonly string[] = [];

  /** Updates that no offset has confirmed yet. */
  get unconfirmed(): readonly FakeUpdate[] {
    return [...this.#updates];
  }

  get isPolled(): boolean {
    return this.#waiting !== null;
  }

  add(kind: string, content: object): FakeUpdate {
    const update = { update_id: this.#nextId, [kind]: content };
    this.#nextId += 1;
    this.#updates.push(update);
    this.#settle();
    return update;
  }

  /** The pending updates from `offset` on, as soon as there is one, or none when the time is over. Confirms all before it. */
  take(
    {
      offset,
      limit,
      timeout,
      allowed_updates,
    }: { offset: number; limit: number; timeout: number; allowed_updates?: readonly string[] | undefined },
    signal: AbortSignal,
  ): Promise<readonly FakeUpdate[]> {
    this.#updates = this.#updates.filter((update) => update.update_id >= offset);
    if (allowed_updates !== undefined) this.#allowed = allowed_updates;
    this.#waiting?.refuse(
      new BotApiError(409, 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running'),
    );
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => poll.answer([]), timeout * 1000);
      const over = () => {
        clearTimeout(timer);
        if (this.#waiting === poll) this.#waiting = null;
      };
      const poll: Poll = {
        allowedUpdates: this.#allowed,
        limit,
        answer: (updates) => {
          over();
          resolve(updates);
        },
        refuse: (error) => {
          over();
          reject(error);
        },
      };
      this.#waiting = poll;
      signal.addEventListener('abort', () => poll.answer([]), { once: true });
      this.#settle();
    });
  }

  #settle(): void {
    const poll = this.#waiting;
    if (poll === null) return;
    const wanted = this.#updates.filter(
      (update) => poll.allowedUpdates.length === 0 || poll.allowedUpdates.some((kind) => Object.hasOwn(update, kind)),
    );
    if (wanted.length > 0) poll.answer(wanted.slice(0, poll.limit));
  }
}
