import { RelayError, type RelayEvent } from 'agent-relay-protocol';
import { JsonRpcPeer, sleep } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';

/** Short, because every outage of this run is a restart. */
export const RETRY_MS = 5;

export interface Access {
  readonly url: string;
  readonly token: string;
}

export interface Notice {
  readonly method: string;
  readonly params: { readonly events?: readonly RelayEvent[]; readonly items?: readonly { readonly message: { readonly id: number } }[] };
}

/** A client that finds its relay again after each crash. A call whose connection was lost is asked again: the caller makes it repeatable. */
export class Persistent {
  readonly #url: string;
  readonly #token: string;
  readonly #onNotice: (notice: Notice) => void;
  readonly #onOpen: (peer: JsonRpcPeer) => Promise<void>;
  #peer: Promise<JsonRpcPeer> | undefined;
  #isStopped = false;

  constructor(options: Access & { onNotice?: (notice: Notice) => void; onOpen?: (peer: JsonRpcPeer) => Promise<void> }) {
    this.#url = options.url;
    this.#token = options.token;
    this.#onNotice = options.onNotice ?? (() => {});
    this.#onOpen = options.onOpen ?? (async () => {});
  }

  async call<Result>(method: string, params: object): Promise<Result> {
    for (;;) {
      try {
        const peer = await this.connected();
        // The relay's answer to a call of its own route table.
        return (await peer.request(method, params, { timeoutMs: 5_000 })) as Result;
      } catch (error) {
        const isOutage = error instanceof RelayError && error.retryable && error.httpStatus !== 409;
        if (!isOutage || this.#isStopped) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** What races with others: null when they came first. */
  async attempt<Result>(method: string, params: object): Promise<Result | null> {
    try {
      return await this.call<Result>(method, params);
    } catch (error) {
      if (error instanceof RelayError && error.httpStatus === 409) return null;
      throw error;
    }
  }

  async connected(): Promise<JsonRpcPeer> {
    this.#peer ??= this.#open();
    return this.#peer;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const peer = await this.#peer?.catch(() => undefined);
    await peer?.close();
  }

  async #open(): Promise<JsonRpcPeer> {
    for (;;) {
      try {
        const duplex = await connectWebSocket(this.#url, {
          headers: { authorization: `Bearer ${this.#token}` },
          handshakeTimeoutMs: 2_000,
        });
        // What the relay pushes has the shapes of socketNotifications.
        const peer = new JsonRpcPeer(duplex, {
          onNotification: (method, params) => this.#onNotice({ method, params: params as Notice['params'] }),
        });
        await this.#onOpen(peer);
        // Only now: a connection that was lost while it opened is tried again by this loop.
        void peer.closed.then(() => {
          this.#peer = undefined;
          // A reader has nobody who calls: it comes back by itself.
          if (!this.#isStopped) this.connected().catch(() => {});
        });
        return peer;
      } catch (error) {
        if (this.#isStopped) throw error;
        if (!(error instanceof RelayError) || !error.retryable) throw error;
        await sleep(RETRY_MS);
      }
    }
  }
}
