import {
  type InboxItem,
  type NotificationParams,
  type Principal,
  RelayError,
  type RelayEvent,
  type SocketNotifications,
  toRelayError,
} from 'agent-relay-protocol';
import type { JsonRpcPeer } from 'agent-relay-wire';
import { type EventBatch, letGo } from '../../events/event-stream.ts';
import type { ActivityBatch, CallContext } from '../../relay/contract/relay-contract.ts';
import { type EncodedEvents, inChunks } from '../encoded-events.ts';
import { StreamTurns } from './stream-turns.ts';

/** How many streams one socket may follow at a time. */
export const MAX_SUBSCRIPTIONS = 64;
/** A node's socket follows the inbox of each agent it hosts. */
const MAX_NODE_SUBSCRIPTIONS = 10_000;
/** Largest notification, roughly: a slow reader then never makes us hold much more than this beside the wire's own bound. */
const CHUNK_CHARACTERS = 256 * 1024;

/** Sends one batch, in as many notifications as it takes; the next one is made when the one before has been taken. */
type Push<Batch> = (subscriptionId: string, batch: Batch) => Iterable<Promise<void>>;

/** What a stream hands over is its taker's own. */
type Owned = EventBatch | ActivityBatch | unknown[];

interface Opened<Batch, Result> {
  readonly batches: AsyncIterable<Batch>;
  readonly result: Result;
}

interface SubscriptionsDeps {
  readonly peer: JsonRpcPeer;
  readonly encoded: EncodedEvents;
  /** A bug met while pushing; the subscriber is told `internal`. */
  readonly onBug: (error: unknown) => void;
}

/**
 * The streams that one socket follows. They take turns: `notify` waits above the wire's high-water mark, the stream that waits there has the
 * turn, and what the others do not take meanwhile costs the relay nothing.
 */
export class Subscriptions {
  readonly #peer: JsonRpcPeer;
  readonly #encoded: EncodedEvents;
  readonly #onBug: (error: unknown) => void;
  readonly #open = new Map<string, AbortController>();
  readonly #turns = new StreamTurns();
  #lastId = 0;

  constructor({ peer, encoded, onBug }: SubscriptionsDeps) {
    this.#peer = peer;
    this.#encoded = encoded;
    this.#onBug = onBug;
  }

  /** Opens a stream and answers its id; pushing begins after the answer has left. @throws what `open` throws, `overloaded` above the limit. */
  async add<Batch extends Owned, Result extends object>(
    principal: Principal,
    open: (context: CallContext) => Promise<Opened<Batch, Result>>,
    push: Push<Batch>,
  ): Promise<Result & { readonly subscriptionId: string }> {
    const limit = principal.type === 'node' ? MAX_NODE_SUBSCRIPTIONS : MAX_SUBSCRIPTIONS;
    if (this.#open.size >= limit) throw new RelayError('overloaded', `A socket follows at most ${limit} streams`);
    this.#lastId += 1;
    const subscriptionId = `s${this.#lastId}`;
    const controller = new AbortController();
    this.#open.set(subscriptionId, controller);
    try {
      const { batches, result } = await open({ principal, signal: controller.signal, turn: this.#turns.open() });
      setImmediate(() => void this.#pump(subscriptionId, controller.signal, batches, push));
      return { ...result, subscriptionId };
    } catch (error) {
      this.#open.delete(subscriptionId);
      throw error;
    }
  }

  /** @throws RelayError `not_found`. */
  remove(subscriptionId: string): void {
    const controller = this.#open.get(subscriptionId);
    if (!controller) throw new RelayError('not_found', 'There is no such subscription on this socket');
    this.#open.delete(subscriptionId);
    controller.abort();
  }

  close(): void {
    for (const controller of this.#open.values()) controller.abort();
    this.#open.clear();
  }

  /** Events as text that is made once for all sockets. */
  *pushEvents(subscriptionId: string, batch: EventBatch): Generator<Promise<void>> {
    if ('reset' in batch) {
      // The reset is the end of the subscription: it is not ended again.
      this.#open.delete(subscriptionId);
      yield this.notify('events/reset', { subscriptionId, reset: batch.reset });
      return;
    }
    for (const chunk of inChunks(this.#texts(batch.events), (text) => text.length, CHUNK_CHARACTERS)) {
      const params = `{"subscriptionId":"${subscriptionId}","events":[${chunk.join(',')}]}`;
      yield this.#peer.notifyEncoded(`{"jsonrpc":"2.0","method":"events/next","params":${params}}`);
    }
  }

  /** Made one by one, as they are sent: a page of large events is not held twice. */
  *#texts(events: readonly RelayEvent[]): Generator<string> {
    for (const event of events) yield this.#encoded.encode(event);
  }

  *pushMail(subscriptionId: string, items: readonly InboxItem[]): Generator<Promise<void>> {
    for (const chunk of inChunks(items, ({ message }) => message.body.length, CHUNK_CHARACTERS)) {
      yield this.notify('inbox/next', { subscriptionId, items: [...chunk] });
    }
  }

  notify<Name extends keyof SocketNotifications>(name: Name, params: NotificationParams<Name>): Promise<void> {
    return this.#peer.notify(name, params);
  }

  async #pump<Batch extends Owned>(
    subscriptionId: string,
    signal: AbortSignal,
    batches: AsyncIterable<Batch>,
    push: Push<Batch>,
  ): Promise<void> {
    try {
      for await (const batch of batches) {
        for (const sending of push(subscriptionId, batch)) {
          await sending;
          if (signal.aborted) return;
        }
        letGo(batch);
      }
      if (this.#open.delete(subscriptionId) && !signal.aborted) this.#end(subscriptionId, streamEnded);
    } catch (error) {
      if (!this.#open.delete(subscriptionId) || signal.aborted) return;
      const relayError = toRelayError(error);
      if (relayError.code === 'connection_closed') return;
      if (relayError.code === 'internal') this.#onBug(relayError.cause);
      this.#end(subscriptionId, relayError);
    }
  }

  #end(subscriptionId: string, { code, message }: RelayError): void {
    void this.notify('subscription/ended', { subscriptionId, code, message });
  }
}

const streamEnded = new RelayError('gone', 'The stream has ended');
