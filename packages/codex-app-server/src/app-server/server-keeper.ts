import { messageOf, RelayError } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';
import { howItEnded, lastWords } from 'agent-relay-wire/node';
import type { CodexAppServer } from './codex-app-server.ts';
import type { CodexEndpoint } from './endpoint.ts';

/** How often a server may die within how long before it stays dead. */
export interface DeathLimit {
  readonly deaths: number;
  readonly withinMs: number;
}

export interface ServerKeeperOptions {
  readonly start: (signal: AbortSignal) => Promise<CodexAppServer>;
  /** Gives the first start up. */
  readonly signal?: AbortSignal | undefined;
  /** Told in a sentence of each death, once what the server left running is gone; waited for before the next start. */
  readonly onDeath: (why: string) => Promise<void>;
  /** Default: five within five minutes. */
  readonly limit?: DeathLimit | undefined;
}

const usualLimit: DeathLimit = { deaths: 5, withinMs: 300_000 };
const backoff = { initialMs: 100, maxMs: 5_000 };

/**
 * A server of ours that is started again when it dies, once for all who use it.
 *
 * States: *running*; *restarting* from a death until the next server listens, at growing distances; *given up* once it died too often, a start that
 * failed included; *closed* by `close()`.
 */
export class ServerKeeper {
  /** Why the server stays dead. */
  readonly gaveUp: Promise<string>;
  readonly #options: ServerKeeperOptions;
  readonly #limit: DeathLimit;
  readonly #closing = new AbortController();
  #giveUp: (why: string) => void = () => {};
  #deathTimes: number[] = [];
  #delays = backoffDelays(backoff);
  #current: Promise<CodexAppServer>;

  private constructor(options: ServerKeeperOptions, first: CodexAppServer) {
    this.#options = options;
    this.#limit = options.limit ?? usualLimit;
    this.gaveUp = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
    this.#current = Promise.resolve(first);
    this.#follow(first);
  }

  /** @throws what the first start fails with: then there is nothing to keep. */
  static async start(options: ServerKeeperOptions): Promise<ServerKeeper> {
    const signal = options.signal ?? new AbortController().signal;
    return new ServerKeeper(options, await options.start(signal));
  }

  /** Where the server listens; waits while it is being started again. Rejects with `connection_closed` when it stays dead. */
  readonly endpoint = async (): Promise<CodexEndpoint> => (await this.#current).endpoint;

  /** Ends the server for good. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(stays('It was closed'));
    const server = await this.#current.catch(() => undefined);
    await server?.close();
  }

  #follow(server: CodexAppServer): void {
    void server.exited.then(() => {
      if (this.#closing.signal.aborted) return;
      this.#current = this.#startAgain(server);
      // Whoever asks for the endpoint is told.
      this.#current.then(
        (next) => this.#follow(next),
        () => {},
      );
    });
  }

  async #startAgain(dead: CodexAppServer): Promise<CodexAppServer> {
    // With what it left running; that something cannot be ended is told to whoever closes, and keeps nobody waiting here.
    await dead.close().catch(() => {});
    const { signal } = this.#closing;
    let why = await howItDied(dead);
    await this.#options.onDeath(why);
    for (;;) {
      if (this.#diedTooOften()) {
        this.#giveUp(why);
        throw stays(why);
      }
      await sleep(this.#delays.next().value, { signal });
      signal.throwIfAborted();
      try {
        return await this.#options.start(signal);
      } catch (error) {
        signal.throwIfAborted();
        why = messageOf(error);
      }
    }
  }

  #diedTooOften(): boolean {
    const now = performance.now();
    this.#deathTimes = [...this.#deathTimes.filter((time) => now - time < this.#limit.withinMs), now];
    if (this.#deathTimes.length === 1) this.#delays = backoffDelays(backoff);
    return this.#deathTimes.length >= this.#limit.deaths;
  }
}

const stays = (why: string): RelayError => new RelayError('connection_closed', `The Codex app-server is not started again: ${why}`);

async function howItDied({ child }: CodexAppServer): Promise<string> {
  const words = lastWords(child);
  return `The Codex app-server ${howItEnded(await child.exited)}${words === '' ? '' : `: ${words}`}`;
}
