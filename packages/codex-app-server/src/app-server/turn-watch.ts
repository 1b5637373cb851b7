import type { KnownNotification } from './notifications.ts';

export interface TurnWatchOptions {
  /** How long the end of a turn may follow the word that nothing runs: Codex says that word a moment earlier. */
  readonly graceMs: number;
  readonly onOverdue: (turnId: string) => void;
}

/**
 * The open turn of a thread, and whether its end is overdue: without it the turn would stay open for ever.
 *
 * States: *closed*; *open* from the turn's start until its `turn/completed`; *ending* from the word that nothing runs, or an interrupt, until
 * the end comes, the thread is active again, or the grace is over and `onOverdue` is called.
 */
export class TurnWatch {
  readonly #options: TurnWatchOptions;
  #turnId: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TurnWatchOptions) {
    this.#options = options;
  }

  get turnId(): string | undefined {
    return this.#turnId;
  }

  open(turnId: string): void {
    this.#turnId = turnId;
    this.#rest();
  }

  observe({ method, params }: KnownNotification): void {
    if (method === 'turn/started') this.open(params.turn.id);
    else if (method === 'turn/completed' && params.turn.id === this.#turnId) this.close();
    else if (method === 'thread/closed') this.expectEnd();
    else if (method === 'thread/status/changed') {
      if (params.status.type === 'active') this.#rest();
      else this.expectEnd();
    }
  }

  expectEnd(): void {
    const turnId = this.#turnId;
    if (turnId === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#options.onOverdue(turnId), this.#options.graceMs);
    this.#timer.unref();
  }

  /** The end was overdue, and the turn still runs. */
  expectEndAgain(): void {
    this.#rest();
    this.expectEnd();
  }

  close(): void {
    this.#turnId = undefined;
    this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
