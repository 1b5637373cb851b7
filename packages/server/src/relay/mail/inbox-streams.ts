import { type InboxItem, RelayError, toRelayError } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { ownTurn } from '../../events/stream-turn.ts';
import type { Logger } from '../../logger.ts';
import type { Store } from '../../store/store.ts';
import type { InboxStream } from '../contract/relay-contract.ts';
import type { HandOvers } from './hand-overs.ts';
import type { Inbox, StreamHolder } from './inbox.ts';
import type { StreamRequest } from './inbox-requests.ts';
import type { InboxSupply } from './inbox-supply.ts';

/** A node that has not gone on with a piece for this long, beside an idle agent, is offered it again, so many at a time. */
const OFFER_AGAIN_MS = 30_000;
const OFFER_AGAIN_LIMIT = 20;

export interface InboxStreamsDeps {
  readonly store: Pick<Store, 'agents'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly handOvers: HandOvers;
  readonly supply: InboxSupply;
}

/** Deliverers that mail is pushed to: one at a time for each inbox. */
export class InboxStreams {
  readonly #deps: InboxStreamsDeps;

  constructor(deps: InboxStreamsDeps) {
    this.#deps = deps;
  }

  /** @throws RelayError `inbox_taken` when the inbox has a stream. */
  open(inbox: Inbox, { epoch, window, reportsHandOver, mayStill, signal, turn }: StreamRequest): InboxStream {
    if (inbox.stream) throw inboxTaken(inbox);
    const stream: StreamHolder = { epoch, window, reportsHandOver, mayStill, outstanding: 0, pending: [], failure: null, bell: new Bell() };
    inbox.stream = stream;
    // The agent itself goes on by stream where it polled before: what it had not acknowledged is its own to have again.
    if (!reportsHandOver) inbox.release('poll');
    const end = () => this.#end(inbox, stream);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#deps.supply.advance(inbox);
    return { batches: this.#read(inbox, stream, { signal, turn }) };
  }

  /** Ends the inbox's stream, when it has one; with a failure its deliverer is told that, and gets nothing more. */
  endOf(inbox: Inbox, failure: RelayError | null): void {
    const { stream } = inbox;
    if (!stream) return;
    stream.failure = failure ?? stream.failure;
    this.#end(inbox, stream);
  }

  /** Ends the inbox's stream when its deliverer has no right to the mail any more. */
  recheck(inbox: Inbox): void {
    try {
      inbox.stream?.mayStill();
    } catch (error) {
      this.endOf(inbox, toRelayError(error));
    }
  }

  /** The deliverer is about to hand these over: answers those that it may. Null when the inbox has no stream, or another by now. */
  async handOver(inbox: Inbox, ids: readonly number[]): Promise<readonly number[] | null> {
    const { stream } = inbox;
    const { supply, clock, handOvers } = this.#deps;
    if (!stream) return null;
    // A deliverer that knows its mail from an earlier link may ask before this relay has read it.
    if (ids.some((id) => !inbox.get(id))) await supply.load(inbox);
    if (inbox.stream !== stream) return null;
    return ids.filter((id) => {
      const piece = inbox.get(id);
      if (piece?.holder !== 'stream') return false;
      const { expiresAt } = piece.message;
      if (!piece.isHandedOver && !piece.wasDispatched && expiresAt !== null && expiresAt <= clock.now()) return false;
      piece.isHandedOver = true;
      handOvers.note(inbox, piece);
      return true;
    });
  }

  /** Asks the node of an idle agent again about mail that it has had for too long without going on with it. */
  offerAgain(inbox: Inbox, now: number): void {
    const { store, log, supply } = this.#deps;
    const { stream } = inbox;
    const agent = store.agents.index.in(inbox.workspace).find(inbox.agentId)?.agent;
    if (!stream || stream.pending.length > 0 || !agent || agent.status === 'busy') return;
    const pieces = inbox.offerAgain(now - OFFER_AGAIN_MS, now, OFFER_AGAIN_LIMIT);
    if (pieces.length === 0) return;
    log.warn('mail waits beside an idle agent and is offered again', { agentId: inbox.agentId, messages: pieces.length });
    stream.pending.push(...pieces.map((piece) => supply.itemOf(piece)));
    stream.bell.ring();
  }

  async *#read(
    inbox: Inbox,
    stream: StreamHolder,
    { signal, turn = ownTurn }: Pick<StreamRequest, 'signal' | 'turn'>,
  ): AsyncGenerator<InboxItem[]> {
    try {
      while (!signal.aborted) {
        if (stream.pending.length > 0) {
          await turn.begin(signal);
          if (signal.aborted) return;
          const items = stream.pending;
          stream.pending = [];
          if (items.length > 0) yield items;
          turn.end();
          continue;
        }
        if (stream.failure) throw stream.failure;
        if (inbox.stream !== stream) return;
        await stream.bell.next();
      }
    } finally {
      turn.end();
      this.#end(inbox, stream);
    }
  }

  #end(inbox: Inbox, stream: StreamHolder): void {
    stream.bell.ring();
    if (inbox.stream !== stream) return;
    if (stream.failure) stream.pending = [];
    inbox.stream = null;
    inbox.lastUsedAt = this.#deps.clock.now();
    inbox.release('stream');
    this.#deps.supply.advance(inbox);
  }
}

export const inboxTaken = ({ agentId }: Pick<Inbox, 'agentId'>): RelayError =>
  new RelayError('inbox_taken', `Another connection fetches the mail of ${agentId}`);
