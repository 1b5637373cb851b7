import { RelayError } from 'agent-relay-protocol';
import { AsyncQueue, JsonRpcPeer, type MessageDuplex } from 'agent-relay-wire';

interface LinkOptions {
  readonly connect: (signal: AbortSignal) => Promise<MessageDuplex>;
  /** Runs on each new connection before anything else uses it. */
  readonly greet: (peer: JsonRpcPeer) => Promise<void>;
}

export interface Pushed {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Notices a subscription may have waiting before its reader is cut off; the relay stops pushing far earlier. */
const NOTICE_LIMIT = 4096;

/** One open connection and the subscriptions that live on it. */
export class LinkConnection {
  readonly peer: JsonRpcPeer;
  readonly #subscriptions = new Map<string, AsyncQueue<Pushed>>();

  constructor(duplex: MessageDuplex) {
    this.peer = new JsonRpcPeer(duplex, { onNotification: (method, params) => this.#receive(method, params) });
    void this.peer.closed.then(() => {
      for (const queue of this.#subscriptions.values()) queue.end();
      this.#subscriptions.clear();
    });
  }

  /** The notices of one subscription; ends with the connection or the signal. Leaving the loop ends the subscription at the relay too. */
  async *follow(subscriptionId: string, signal: AbortSignal): AsyncGenerator<Pushed, void, undefined> {
    const notices = this.#queue(subscriptionId);
    const stop = () => notices.end();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      yield* notices;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#subscriptions.delete(subscriptionId);
      this.peer.request('events/unsubscribe', { subscriptionId }).catch(() => {}); // the connection may be gone, and the subscription with it
    }
  }

  #receive(method: string, params: unknown): void {
    if (typeof params !== 'object' || params === null || !('subscriptionId' in params) || typeof params.subscriptionId !== 'string') return;
    this.#queue(params.subscriptionId).push({ method, params: { ...params } });
  }

  /** Made on the first notice as well: a notice can overtake the code that waits for the answer that names its subscription. */
  #queue(subscriptionId: string): AsyncQueue<Pushed> {
    const existing = this.#subscriptions.get(subscriptionId);
    if (existing) return existing;
    const queue = new AsyncQueue<Pushed>({ limit: NOTICE_LIMIT, overflow: 'error' });
    this.#subscriptions.set(subscriptionId, queue);
    return queue;
  }
}

/**
 * A socket to the relay that is opened when first needed and again after it was lost.
 *
 * States: `idle` (no connection), `connecting` (callers share the attempt), `open`, and `closed` for good by `close()`.
 */
export class SocketLink {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  #current: Promise<LinkConnection> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The open connection. @throws RelayError `connection_closed` when the relay cannot be reached or the link was closed. */
  connection(): Promise<LinkConnection> {
    if (this.#closing.signal.aborted) return Promise.reject(new RelayError('connection_closed', 'This client was closed'));
    if (this.#current) return this.#current;
    const attempt = this.#open();
    this.#current = attempt;
    const forget = () => {
      if (this.#current === attempt) this.#current = undefined;
    };
    attempt.then((connection) => connection.peer.closed.then(forget), forget);
    return attempt;
  }

  async close(): Promise<void> {
    this.#closing.abort(new RelayError('connection_closed', 'This client was closed'));
    const current = this.#current;
    if (!current) return;
    const connection = await current.catch(() => null);
    await connection?.peer.close();
  }

  async #open(): Promise<LinkConnection> {
    const duplex = await this.#options.connect(this.#closing.signal);
    const connection = new LinkConnection(duplex);
    try {
      await this.#options.greet(connection.peer);
    } catch (error) {
      await connection.peer.close();
      throw error;
    }
    return connection;
  }
}
