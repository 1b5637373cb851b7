import type { ModelRequest } from 'agent-relay-testing';

/**
 * Which messages a model was shown, in all of its requests together: what a killed CLI has lost of its conversation is in none of the later ones. A message
 * that stays in its conversation was shown once; one that was handed over again, to the same process or to the next, was shown once more.
 */
export class ShownMessages {
  /** For each message and reply address, by conversation: the most in any one request. */
  readonly #times = new Map<number, Map<string, number>>();

  #onNote = () => {};

  note({ raw }: Pick<ModelRequest, 'raw'>): void {
    const text = JSON.stringify(raw);
    const conversation = /session_id[^\w]+([\w-]{36})/u.exec(text)?.[1] ?? '';
    const here = new Map<string, { id: number; place: string; times: number }>();
    // Each process of the CLI is given messages with reply addresses of its own.
    let address = '';
    for (const [, from, id] of text.matchAll(/<cross-session-message from=\\"([^"\\]+)|\[msg:(\d+)\] from /gu)) {
      if (from !== undefined) address = from;
      if (id === undefined) continue;
      const place = `${conversation} ${address}`;
      const key = `${id} ${place}`;
      here.set(key, { id: Number(id), place, times: (here.get(key)?.times ?? 0) + 1 });
    }
    for (const { id, place, times } of here.values()) {
      const places = this.#times.get(id) ?? new Map<string, number>();
      this.#times.set(id, places.set(place, Math.max(times, places.get(place) ?? 0)));
    }
    this.#onNote();
  }

  /** Resolves when the model is asked next, before it answers, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#onNote = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  times(id: number): number {
    return [...(this.#times.get(id)?.values() ?? [])].reduce((sum, times) => sum + times, 0);
  }
}
