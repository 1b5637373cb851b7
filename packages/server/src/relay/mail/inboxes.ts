import { type InboxItem, type Message, RelayError, toRelayError } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import { recordAt } from '../../domain/delivery.ts';
import { takePage } from '../../domain/page.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { Logger } from '../../logger.ts';
import type { LogEntry, Store } from '../../store/store.ts';
import type { InboxStream } from '../contract/relay-contract.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import { HandOvers } from './hand-overs.ts';
import { Inbox, type Piece, type StreamHolder } from './inbox.ts';
import { createNonces } from './nonces.ts';

const LOAD_PAGE = 256;
/** How far the fan-out floor may move before it is written down. */
const FLOOR_STEP = 1_000;
/** A node that has not gone on with a piece for this long, beside an idle agent, is offered it again, so many at a time. */
const OFFER_AGAIN_MS = 30_000;
const OFFER_AGAIN_LIMIT = 20;

export interface InboxesDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries'>;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Pick<RelaySettings, 'dispatchedDelayMs' | 'staleTtlMs'>;
}

export interface StreamRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly epoch: number;
  readonly window: number;
  readonly reportsHandOver: boolean;
  /** Throws when the deliverer's right to this mail has gone. */
  readonly mayStill: () => void;
  readonly signal: AbortSignal;
}

export interface PollRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly limit: number;
  readonly waitMs: number;
  /** The agent's own token: it may take what its node's stream has not handed over, and its lease is its epoch. */
  readonly isOwn: boolean;
  readonly signal: AbortSignal;
}

export interface PeekRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly limit: number;
  /** Only what was sent after this one. */
  readonly after: number;
}

export interface PeekedPage {
  readonly items: readonly InboxItem[];
  /** Where the next page begins; null when nothing more waits. */
  readonly next: number | null;
}

export interface TakeRequest {
  readonly workspace: string;
  readonly agentId: string;
  readonly messageId: number;
  readonly isOwn: boolean;
}

/** The inboxes somebody fetches from now. One deliverer at a time has a piece; what it had is offered again when its lease ends. */
export class Inboxes {
  readonly #deps: InboxesDeps;
  readonly #open = new Map<string, Map<string, Inbox>>();
  readonly #handOvers: HandOvers;
  /** Who waits for mail to look at. */
  readonly #peekers = new Set<{ readonly workspace: string; readonly agentId: string; readonly bell: Bell }>();
  readonly #nonce = createNonces();
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(deps: InboxesDeps) {
    this.#deps = deps;
    this.#handOvers = new HandOvers({ ...deps, delayMs: deps.settings.dispatchedDelayMs });
    this.#stopListening = deps.feed.onEntry((entry) => this.#arrived(entry));
  }

  /** @throws RelayError `inbox_taken` when the agent's inbox has a stream. */
  openStream({ workspace, agentId, epoch, window, reportsHandOver, mayStill, signal }: StreamRequest): InboxStream {
    const inbox = this.#inboxOf(workspace, agentId);
    if (inbox.stream) throw new RelayError('inbox_taken', `Another connection fetches the mail of ${agentId}`);
    const stream: StreamHolder = { epoch, window, reportsHandOver, mayStill, outstanding: 0, pending: [], failure: null, bell: new Bell() };
    inbox.stream = stream;
    // The agent itself goes on by stream where it polled before: what it had not acknowledged is its own to have again.
    if (!reportsHandOver) inbox.release('poll');
    const end = () => this.#endStream(inbox, stream);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    this.#advance(inbox);
    return { batches: this.#readStream(inbox, stream, signal) };
  }

  /**
   * @throws RelayError `inbox_taken` when a stream has the inbox and the caller is not the agent itself, or when a later poll took the place of this
   * one.
   */
  async poll({ workspace, agentId, limit, waitMs, isOwn, signal }: PollRequest): Promise<readonly InboxItem[]> {
    const inbox = this.#inboxOf(workspace, agentId);
    if (inbox.stream && !isOwn) throw new RelayError('inbox_taken', `Another connection fetches the mail of ${agentId}`);
    inbox.poll?.reject(displaced(agentId));
    inbox.pollLeaseUntil = this.#pollLeaseUntil(isOwn);
    inbox.pollLimit = limit;
    await this.#load(inbox);
    let pieces = signal.aborted ? [] : inbox.takeForPoll(limit, this.#deps.clock.now());
    if (pieces.length === 0 && waitMs > 0) pieces = await this.#awaitFirst(inbox, limit, waitMs, signal);
    for (const piece of pieces) this.#handOvers.note(inbox, piece);
    inbox.lastUsedAt = this.#deps.clock.now();
    return pieces.map((piece) => this.#itemOf(piece));
  }

  /** One piece for its agent, out of turn; null when it waits no more, or has gone to a stream. Null also while too much waits before it. */
  async take({ workspace, agentId, messageId, isOwn }: TakeRequest): Promise<InboxItem | null> {
    const inbox = this.#inboxOf(workspace, agentId);
    await this.#load(inbox);
    const now = this.#deps.clock.now();
    inbox.lastUsedAt = now;
    const piece = inbox.takeOne(messageId, now);
    if (!piece) return null;
    inbox.pollLeaseUntil = this.#pollLeaseUntil(isOwn);
    this.#handOvers.note(inbox, piece);
    return this.#itemOf(piece);
  }

  /** What was polled or taken was lost on its way: it is offered again. */
  giveBack(workspace: string, agentId: string, ids: readonly number[]): void {
    const inbox = this.#find(workspace, agentId);
    if (!inbox) return;
    inbox.giveBack(new Set(ids));
    this.#advance(inbox);
  }

  /** What `peek` answers, as soon as there is something, or when the time is over. */
  async peekUntil({ waitMs, signal, ...request }: PeekRequest & Pick<PollRequest, 'waitMs' | 'signal'>): Promise<PeekedPage> {
    const { workspace, agentId } = request;
    let isOver = signal.aborted || waitMs === 0;
    const bell = new Bell();
    const end = () => {
      isOver = true;
      bell.ring();
    };
    const peeker = { workspace, agentId, bell };
    this.#peekers.add(peeker);
    const cancelTimer = this.#deps.clock.schedule(end, waitMs);
    signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const seen = bell.rings;
        const page = await this.peek(request);
        if (page.items.length > 0 || isOver || this.#isClosed) return page;
        await bell.after(seen);
      }
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', end);
      this.#peekers.delete(peeker);
    }
  }

  /** What waits behind `after`, and what has been handed over but not written yet, as much as one answer may carry; changes nothing. */
  async peek({ workspace, agentId, limit, after: from }: PeekRequest): Promise<PeekedPage> {
    const waiting: InboxItem[] = [];
    const { deliveries } = this.#deps.store;
    // One more than is asked for, which says that there is more.
    for (let after = from; waiting.length <= limit; ) {
      const { items: found, through } = await deliveries.waiting(workspace, agentId, after, LOAD_PAGE);
      for (const { message, record } of found) {
        const wasHandedOver = this.wasHandedOver(workspace, agentId, message.id);
        const { state } = recordAt(record, message.expiresAt, wasHandedOver, this.#deps.clock.now());
        if (state === 'expired' || waiting.length > limit) continue;
        waiting.push({ message, state: state === 'queued' && wasHandedOver ? 'dispatched' : state, nonce: this.#nonce() });
      }
      if (through <= after || through >= this.#deps.feed.position || takePage(waiting, limit, charactersOf).isCut) break;
      after = through;
    }
    const { rows, isCut } = takePage(waiting, limit, charactersOf);
    return { items: rows, next: isCut ? (rows.at(-1)?.message.id ?? null) : null };
  }

  /**
   * The stream's deliverer is about to hand these over: those it may are its own from now on. What is not answered it must not hand over.
   * Null when no stream has this inbox.
   */
  async handOver(workspace: string, agentId: string, ids: readonly number[]): Promise<readonly number[] | null> {
    const inbox = this.#find(workspace, agentId);
    const stream = inbox?.stream;
    if (!inbox || !stream) return null;
    // A deliverer that knows its mail from an earlier link may ask before this relay has read it.
    if (ids.some((id) => !inbox.get(id))) await this.#load(inbox);
    if (inbox.stream !== stream) return null;
    return ids.filter((id) => {
      const piece = inbox.get(id);
      if (piece?.holder !== 'stream') return false;
      const { expiresAt } = piece.message;
      if (!piece.isHandedOver && !piece.wasDispatched && expiresAt !== null && expiresAt <= this.#deps.clock.now()) return false;
      piece.isHandedOver = true;
      this.#handOvers.note(inbox, piece);
      return true;
    });
  }

  /** Somebody has the piece for good, whether or not its receipt is written yet. */
  wasHandedOver(workspace: string, agentId: string, messageId: number): boolean {
    return this.#find(workspace, agentId)?.get(messageId)?.isHandedOver ?? false;
  }

  /** A confirmation is on its way: it says more than the receipt that was still to be written. */
  supersede(workspace: string, agentId: string, ids: readonly number[]): void {
    const inbox = this.#find(workspace, agentId);
    if (inbox) this.#handOvers.supersede(inbox, ids);
  }

  /** These copies wait no more. */
  settle(workspace: string, agentId: string, ids: readonly number[]): void {
    const inbox = this.#find(workspace, agentId);
    if (!inbox) return;
    for (const id of ids) inbox.settle(id);
    this.#advance(inbox);
  }

  /** As `settle`, for every recipient of a message that is no more. */
  settleEverywhere(workspace: string, messageId: number): void {
    for (const inbox of this.#open.get(workspace)?.values() ?? []) {
      inbox.settle(messageId);
      this.#advance(inbox);
    }
  }

  /** A newer session, or none: whoever fetched is told, and what it had is offered again. */
  endLease(workspace: string, agentId: string, failure: RelayError): void {
    const inbox = this.#find(workspace, agentId);
    if (!inbox) return;
    if (inbox.stream) {
      inbox.stream.failure = failure;
      this.#endStream(inbox, inbox.stream);
    }
    inbox.poll?.reject(failure);
    inbox.release('stream', 'poll');
  }

  /** An agent got a token: whoever fetched its mail without one fetches no more. */
  recheck(workspace: string, agentId: string): void {
    const inbox = this.#find(workspace, agentId);
    if (!inbox) return;
    inbox.poll?.resolve([]);
    try {
      inbox.stream?.mayStill();
    } catch (error) {
      if (!inbox.stream) return;
      inbox.stream.failure = toRelayError(error);
      this.#endStream(inbox, inbox.stream);
    }
  }

  /** Asks the nodes of idle agents again about mail that they have had for too long without going on with it. */
  #offerAgain(inbox: Inbox, now: number): void {
    const { stream } = inbox;
    const agent = this.#deps.store.agents.index.in(inbox.workspace).find(inbox.agentId)?.agent;
    if (!stream || stream.pending.length > 0 || !agent || agent.status === 'busy') return;
    const pieces = inbox.offerAgain(now - OFFER_AGAIN_MS, now, OFFER_AGAIN_LIMIT);
    if (pieces.length === 0) return;
    this.#deps.log.warn('mail waits beside an idle agent and is offered again', { agentId: inbox.agentId, messages: pieces.length });
    stream.pending.push(...pieces.map((piece) => this.#itemOf(piece)));
    stream.bell.ring();
  }

  /** Ends poll leases that ran out and forgets inboxes that nobody fetches from. */
  sweep(now: number): void {
    for (const inboxes of this.#open.values()) {
      for (const inbox of inboxes.values()) {
        if (inbox.pollLeaseUntil <= now) inbox.release('poll');
        this.#advance(inbox);
        this.#offerAgain(inbox, now);
        const isIdle = !inbox.stream && !inbox.poll && now - inbox.lastUsedAt > this.#deps.settings.staleTtlMs;
        if (isIdle && !this.#handOvers.has(inbox)) this.#drop(inboxes, inbox);
      }
    }
  }

  /** Writes the receipts of what has been handed over. */
  flush(): Promise<void> {
    return this.#handOvers.flush();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    for (const { bell } of this.#peekers) bell.ring();
    for (const inboxes of this.#open.values()) {
      for (const inbox of inboxes.values()) {
        inbox.poll?.resolve([]);
        if (inbox.stream) this.#endStream(inbox, inbox.stream);
      }
    }
    await this.flush();
  }

  #arrived({ workspace, stored }: LogEntry): void {
    if (stored) this.#wakePeekers(workspace, stored.message);
    const inboxes = stored && this.#open.get(workspace);
    if (!stored || !inboxes) return;
    const { message } = stored;
    if (isDirect(message.to)) {
      const inbox = inboxes.get(message.to.slice(3));
      if (inbox) this.#take(inbox, message);
      return;
    }
    for (const inbox of inboxes.values()) {
      const entry = this.#deps.store.agents.index.in(workspace).find(inbox.agentId);
      if (entry && isInAudience(message, entry)) this.#take(inbox, message);
    }
  }

  #wakePeekers(workspace: string, message: Message): void {
    for (const peeker of this.#peekers) {
      if (peeker.workspace !== workspace) continue;
      const entry = isDirect(message.to) ? undefined : this.#deps.store.agents.index.in(workspace).find(peeker.agentId);
      if (message.to === `id:${peeker.agentId}` || (entry && isInAudience(message, entry))) peeker.bell.ring();
    }
  }

  #take(inbox: Inbox, message: Message): void {
    if (!inbox.isCaughtUp || message.id <= inbox.loadedThrough) return;
    if (!inbox.hasRoom) {
      inbox.isCaughtUp = false;
      return;
    }
    inbox.add(message, false);
    inbox.loadedThrough = message.id;
    this.#pump(inbox);
  }

  /** Offers what is there, and fetches more when there is room. */
  #advance(inbox: Inbox): void {
    this.#pump(inbox);
    if (inbox.isCaughtUp || inbox.loading || !inbox.hasRoom || (!inbox.stream && !inbox.poll)) return;
    this.#load(inbox).catch((error: unknown) => {
      this.#deps.log.error('waiting mail could not be read', { agentId: inbox.agentId, error: String(error) });
    });
  }

  #load(inbox: Inbox): Promise<void> {
    inbox.loading ??= this.#loadPages(inbox).finally(() => {
      inbox.loading = null;
    });
    return inbox.loading;
  }

  async #loadPages(inbox: Inbox): Promise<void> {
    while (!inbox.isCaughtUp && inbox.hasRoom && !inbox.isDropped) {
      const { items, through } = await this.#deps.store.deliveries.waiting(inbox.workspace, inbox.agentId, inbox.loadedThrough, LOAD_PAGE);
      for (const { message, record } of items) {
        if (!inbox.get(message.id)) inbox.add(message, record.state === 'dispatched');
      }
      inbox.loadedThrough = Math.max(inbox.loadedThrough, through);
      inbox.isCaughtUp = through >= this.#deps.feed.position;
      this.#pump(inbox);
    }
    this.#raiseFloor(inbox, FLOOR_STEP);
  }

  #pump(inbox: Inbox): void {
    const now = this.#deps.clock.now();
    if (inbox.poll) {
      const pieces = inbox.takeForPoll(inbox.poll.limit, now);
      if (pieces.length > 0) inbox.poll.resolve(pieces);
    }
    const { stream } = inbox;
    if (!stream) return;
    const offered = inbox.offerToStream(stream, now);
    if (offered.length === 0) return;
    for (const piece of offered) {
      stream.pending.push(this.#itemOf(piece));
      if (piece.isHandedOver) this.#handOvers.note(inbox, piece);
    }
    stream.bell.ring();
  }

  #pollLeaseUntil(isOwn: boolean): number {
    return isOwn ? Number.POSITIVE_INFINITY : this.#deps.clock.now() + this.#deps.settings.staleTtlMs;
  }

  #itemOf({ message, wasDispatched, isHandedOver }: Piece): InboxItem {
    return { message, state: wasDispatched || isHandedOver ? 'dispatched' : 'queued', nonce: this.#nonce() };
  }

  #awaitFirst(inbox: Inbox, limit: number, waitMs: number, signal: AbortSignal): Promise<readonly Piece[]> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancelTimer();
        signal.removeEventListener('abort', giveUp);
        if (inbox.poll === waiter) inbox.poll = null;
      };
      const finish = (pieces: readonly Piece[]) => {
        leave();
        resolve(pieces);
      };
      const fail = (error: RelayError) => {
        leave();
        reject(error);
      };
      const giveUp = () => finish([]);
      const cancelTimer = this.#deps.clock.schedule(giveUp, waitMs);
      const waiter = { limit, resolve: finish, reject: fail };
      if (signal.aborted || this.#isClosed) {
        giveUp();
        return;
      }
      signal.addEventListener('abort', giveUp, { once: true });
      inbox.poll?.reject(displaced(inbox.agentId));
      inbox.poll = waiter;
      this.#advance(inbox);
    });
  }

  async *#readStream(inbox: Inbox, stream: StreamHolder, signal: AbortSignal): AsyncGenerator<readonly InboxItem[]> {
    try {
      while (!signal.aborted) {
        if (stream.pending.length > 0) {
          const items = stream.pending;
          stream.pending = [];
          yield items;
          continue;
        }
        if (stream.failure) throw stream.failure;
        if (inbox.stream !== stream) return;
        await stream.bell.next();
      }
    } finally {
      this.#endStream(inbox, stream);
    }
  }

  #endStream(inbox: Inbox, stream: StreamHolder): void {
    stream.bell.ring();
    if (inbox.stream !== stream) return;
    if (stream.failure) stream.pending = [];
    inbox.stream = null;
    inbox.lastUsedAt = this.#deps.clock.now();
    inbox.release('stream');
    this.#advance(inbox);
  }

  #raiseFloor(inbox: Inbox, step: number): void {
    const floor = inbox.fanOutFloor;
    if (floor - inbox.persistedFloor < step || this.#isClosed) return;
    inbox.persistedFloor = floor;
    this.#deps.store.deliveries.raiseFloor(inbox.workspace, inbox.agentId, floor).catch((error: unknown) => {
      this.#deps.log.warn('an inbox floor could not be written', { agentId: inbox.agentId, error: String(error) });
    });
  }

  #drop(inboxes: Map<string, Inbox>, inbox: Inbox): void {
    inbox.isDropped = true;
    this.#raiseFloor(inbox, 1);
    inboxes.delete(inbox.agentId);
    if (inboxes.size === 0) this.#open.delete(inbox.workspace);
  }

  #find(workspace: string, agentId: string): Inbox | undefined {
    return this.#open.get(workspace)?.get(agentId);
  }

  #inboxOf(workspace: string, agentId: string): Inbox {
    const inboxes = this.#open.get(workspace) ?? new Map<string, Inbox>();
    this.#open.set(workspace, inboxes);
    const inbox = inboxes.get(agentId) ?? new Inbox(workspace, agentId, this.#deps.clock.now());
    inboxes.set(agentId, inbox);
    return inbox;
  }
}

const charactersOf = ({ message: { body, payload } }: InboxItem): number =>
  body.length + (payload === null ? 0 : JSON.stringify(payload).length);

const displaced = (agentId: string): RelayError =>
  new RelayError('inbox_taken', `A later call fetches the mail of ${agentId}: one at a time may wait for it`);
