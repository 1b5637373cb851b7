import { hashKey, type QueryKey } from '@tanstack/react-query';

/**
 * Asks for snapshots again, each at most once in a while however many events want it: the first at once, so that one change is seen
 * without delay, the rest of a burst together.
 */
export class Refresher {
  readonly #refresh: (key: QueryKey) => void;
  readonly #quietMs: number;
  /** By hashed key: `null` while the last one rests, the key when another one was wanted meanwhile. */
  readonly #resting = new Map<string, QueryKey | null>();

  constructor(refresh: (key: QueryKey) => void, quietMs = 400) {
    this.#refresh = refresh;
    this.#quietMs = quietMs;
  }

  readonly want = (key: QueryKey): void => {
    const name = hashKey(key);
    if (this.#resting.has(name)) {
      this.#resting.set(name, key);
      return;
    }
    this.#resting.set(name, null);
    this.#refresh(key);
    setTimeout(() => {
      const wanted = this.#resting.get(name);
      this.#resting.delete(name);
      if (wanted) this.want(wanted);
    }, this.#quietMs);
  };
}
