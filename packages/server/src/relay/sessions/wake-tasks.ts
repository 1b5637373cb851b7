import { aborted } from 'agent-relay-wire';

/** So many at once on one machine: an agent that starts takes a good part of a processor for seconds. */
const AT_ONCE_PER_MACHINE = 2;

export interface WakeTask {
  /** Of the agent: it has one task at a time. */
  readonly key: string;
  /** The machine that is asked. */
  readonly nodeId: string;
  run(): Promise<void>;
}

/** What machines have been asked for and have not answered yet. Nobody else waits for a machine that does not answer. */
export class WakeTasks {
  readonly #inHand = new Map<string, { readonly nodeId: string; readonly done: Promise<void> }>();
  readonly #leaving: AbortSignal;
  readonly #left: Promise<void>;
  readonly #ended: () => void;

  /** `ended` is called after each. Once `leaving` is aborted, none is waited for any more. */
  constructor(leaving: AbortSignal, ended: () => void) {
    this.#leaving = leaving;
    this.#left = aborted(leaving);
    this.#ended = ended;
  }

  has(key: string): boolean {
    return this.#inHand.has(key);
  }

  hasRoom(nodeId: string): boolean {
    let running = 0;
    for (const task of this.#inHand.values()) if (task.nodeId === nodeId) running += 1;
    return running < AT_ONCE_PER_MACHINE;
  }

  /** `run` may not reject. */
  begin({ key, nodeId, run }: WakeTask): void {
    const done = Promise.race([run(), this.#left]).finally(() => {
      this.#inHand.delete(key);
      if (!this.#leaving.aborted) this.#ended();
    });
    this.#inHand.set(key, { nodeId, done });
  }

  /** Resolves when none is in hand. */
  async settled(): Promise<void> {
    while (this.#inHand.size > 0) await Promise.all([...this.#inHand.values()].map(({ done }) => done));
  }
}
