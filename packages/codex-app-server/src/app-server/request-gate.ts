import { sleep } from 'agent-relay-wire';
import { isOverloaded } from './errors.ts';

export interface RequestGateOptions {
  /** Requests in flight at a time. Codex holds 128 for all of its clients together. Default 32. */
  readonly maxInFlight?: number;
  /** Default 6. */
  readonly maxOverloadedTries?: number;
  readonly random?: () => number;
}

const firstDelayMs = 50;
const longestDelayMs = 2_000;

/** Keeps our share of a server's queue small, and tries again when the queue was full. */
export class RequestGate {
  readonly #maxInFlight: number;
  readonly #maxTries: number;
  readonly #random: () => number;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  constructor({ maxInFlight = 32, maxOverloadedTries = 6, random = Math.random }: RequestGateOptions = {}) {
    this.#maxInFlight = maxInFlight;
    this.#maxTries = maxOverloadedTries;
    this.#random = random;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Waits for a place and sends. `beforeResend` runs ahead of every further try; what it returns is taken for the answer. */
  async run(send: () => Promise<unknown>, beforeResend?: () => Promise<unknown>): Promise<unknown> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#sendInTurn(send);
      } catch (error) {
        if (!isOverloaded(error) || tries >= this.#maxTries) throw error;
        await sleep(this.#random() * Math.min(longestDelayMs, firstDelayMs * 2 ** (tries - 1)));
        const found = await beforeResend?.();
        if (found !== undefined) return found;
      }
    }
  }

  async #sendInTurn(send: () => Promise<unknown>): Promise<unknown> {
    // A place that is given up goes straight to the next in line, so that nobody slips in between.
    if (this.#inFlight < this.#maxInFlight) this.#inFlight += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await send();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#inFlight -= 1;
    }
  }
}
