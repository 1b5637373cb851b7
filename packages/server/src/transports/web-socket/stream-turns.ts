import type { StreamTurn } from '../../events/stream-turn.ts';

/**
 * The turns of the streams that share one socket: one at a time, in the order in which they had something. So all of them together hold what one
 * takes at a time, and none waits for longer than each of the others has once.
 */
export class StreamTurns {
  #current: SharedTurn | null = null;
  /** In order of arrival. */
  readonly #waiting = new Map<SharedTurn, () => void>();

  open(): StreamTurn {
    return new SharedTurn(this);
  }

  begin(turn: SharedTurn, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#current === turn) return Promise.resolve();
    if (this.#current === null) {
      this.#current = turn;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const go = () => {
        signal.removeEventListener('abort', go);
        this.#waiting.delete(turn);
        resolve();
      };
      this.#waiting.set(turn, go);
      signal.addEventListener('abort', go, { once: true });
    });
  }

  end(turn: SharedTurn): void {
    if (this.#current !== turn) return;
    const [next] = this.#waiting;
    this.#current = next?.[0] ?? null;
    next?.[1]();
  }
}

class SharedTurn implements StreamTurn {
  readonly #turns: StreamTurns;

  constructor(turns: StreamTurns) {
    this.#turns = turns;
  }

  begin(signal: AbortSignal): Promise<void> {
    return this.#turns.begin(this, signal);
  }

  end(): void {
    this.#turns.end(this);
  }
}
