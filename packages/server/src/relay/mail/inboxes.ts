import type { InboxItem, RelayError } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { Logger } from '../../logger.ts';
import type { LogEntry, Store } from '../../store/store.ts';
import type { InboxStream } from '../contract/relay-contract.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import { HandOvers } from './hand-overs.ts';
import type { Inbox } from './inbox.ts';
import { InboxPeeks } from './inbox-peeks.ts';
import { InboxPolls } from './inbox-polls.ts';
import type { PeekedPage, PeekRequest, PollRequest, StreamRequest, TakeRequest } from './inbox-requests.ts';
import { InboxStreams } from './inbox-streams.ts';
import { InboxSupply } from './inbox-supply.ts';
import { createNonces } from './nonces.ts';
import { OpenInboxes } from './open-inboxes.ts';

export interface InboxesDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries'>;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Pick<RelaySettings, 'dispatchedDelayMs' | 'staleTtlMs'>;
}

/** The inboxes somebody fetches from now. One deliverer at a time has a piece; what it had is offered again when its lease ends. */
export class Inboxes {
  readonly #deps: InboxesDeps;
  readonly #open = new OpenInboxes();
  readonly #handOvers: HandOvers;
  readonly #supply: InboxSupply;
  readonly #streams: InboxStreams;
  readonly #polls: InboxPolls;
  readonly #peeks: InboxPeeks;
  readonly #stopListening: () => void;

  constructor(deps: InboxesDeps) {
    const nonce = createNonces();
    this.#deps = deps;
    this.#handOvers = new HandOvers({ ...deps, delayMs: deps.settings.dispatchedDelayMs });
    this.#supply = new InboxSupply({ ...deps, handOvers: this.#handOvers, held: this.#open.held, nonce });
    this.#streams = new InboxStreams({ ...deps, handOvers: this.#handOvers, supply: this.#supply });
    this.#polls = new InboxPolls({ ...deps, handOvers: this.#handOvers, supply: this.#supply });
    this.#peeks = new InboxPeeks({ ...deps, open: this.#open, nonce });
    this.#stopListening = deps.feed.onEntry((entry) => this.#arrived(entry));
  }

  /** @throws RelayError `inbox_taken` when the agent's inbox has a stream. */
  openStream(request: StreamRequest): InboxStream {
    return this.#streams.open(this.#inboxOf(request), request);
  }

  /**
   * @throws RelayError `inbox_taken` when a stream has the inbox and the caller is not the agent itself, or when a later poll took the place of this
   * one.
   */
  poll(request: PollRequest): Promise<readonly InboxItem[]> {
    return this.#polls.poll(this.#inboxOf(request), request);
  }

  /** One piece for its agent, out of turn; null when it waits no more, or has gone to a stream. Null also while too much waits before it. */
  take(request: TakeRequest): Promise<InboxItem | null> {
    return this.#polls.take(this.#inboxOf(request), request);
  }

  /** What was polled or taken was lost on its way: it is offered again. */
  giveBack(workspace: string, agentId: string, ids: readonly number[]): void {
    const inbox = this.#open.find(workspace, agentId);
    if (!inbox) return;
    inbox.giveBack(new Set(ids));
    this.#supply.advance(inbox);
  }

  /** What `peek` answers, as soon as there is something, or when the time is over. */
  peekUntil(request: PeekRequest & Pick<PollRequest, 'waitMs' | 'signal'>): Promise<PeekedPage> {
    return this.#peeks.peekUntil(request);
  }

  /** What waits behind `after`, and what has been handed over but not written yet, as much as one answer may carry; changes nothing. */
  peek(request: PeekRequest): Promise<PeekedPage> {
    return this.#peeks.peek(request);
  }

  /**
   * The stream's deliverer is about to hand these over: those it may are its own from now on. What is not answered it must not hand over.
   * Null when no stream has this inbox.
   */
  async handOver(workspace: string, agentId: string, ids: readonly number[]): Promise<readonly number[] | null> {
    const inbox = this.#open.find(workspace, agentId);
    return inbox ? this.#streams.handOver(inbox, ids) : null;
  }

  /** Somebody has the piece for good, whether or not its receipt is written yet. */
  wasHandedOver(workspace: string, agentId: string, messageId: number): boolean {
    return this.#open.find(workspace, agentId)?.get(messageId)?.isHandedOver ?? false;
  }

  /** A confirmation is on its way: it says more than the receipt that was still to be written. */
  supersede(workspace: string, agentId: string, ids: readonly number[]): void {
    const inbox = this.#open.find(workspace, agentId);
    if (inbox) this.#handOvers.supersede(inbox, ids);
  }

  /** These copies wait no more. */
  settle(workspace: string, agentId: string, ids: readonly number[]): void {
    const inbox = this.#open.find(workspace, agentId);
    if (!inbox) return;
    for (const id of ids) inbox.settle(id);
    this.#supply.advance(inbox);
  }

  /** As `settle`, for every recipient of a message that is no more. */
  settleEverywhere(workspace: string, messageId: number): void {
    for (const inbox of this.#open.in(workspace)) {
      inbox.settle(messageId);
      this.#supply.advance(inbox);
    }
  }

  /** A newer session, or none: whoever fetched is told, and what it had is offered again. */
  endLease(workspace: string, agentId: string, failure: RelayError): void {
    const inbox = this.#open.find(workspace, agentId);
    if (!inbox) return;
    this.#streams.endOf(inbox, failure);
    inbox.poll?.reject(failure);
    inbox.release('stream', 'poll');
  }

  /** An agent got a token: whoever fetched its mail without one fetches no more. */
  recheck(workspace: string, agentId: string): void {
    const inbox = this.#open.find(workspace, agentId);
    if (!inbox) return;
    inbox.poll?.resolve([]);
    this.#streams.recheck(inbox);
  }

  /** Ends poll leases that ran out and forgets inboxes that nobody fetches from. */
  sweep(now: number): void {
    for (const inbox of this.#open.all()) {
      if (inbox.pollLeaseUntil <= now) inbox.release('poll');
      this.#supply.advance(inbox);
      this.#streams.offerAgain(inbox, now);
      const isIdle = !inbox.stream && !inbox.poll && now - inbox.lastUsedAt > this.#deps.settings.staleTtlMs;
      if (!isIdle || this.#handOvers.has(inbox)) continue;
      this.#supply.drop(inbox);
      this.#open.drop(inbox);
    }
  }

  /** Writes the receipts of what has been handed over. */
  flush(): Promise<void> {
    return this.#handOvers.flush();
  }

  async close(): Promise<void> {
    this.#supply.close();
    this.#polls.close();
    this.#stopListening();
    this.#peeks.close();
    for (const inbox of this.#open.all()) {
      inbox.poll?.resolve([]);
      this.#streams.endOf(inbox, null);
    }
    await this.flush();
  }

  #arrived({ workspace, stored }: LogEntry): void {
    if (!stored) return;
    const { message } = stored;
    this.#peeks.arrived(workspace, message);
    if (isDirect(message.to)) {
      const inbox = this.#open.find(workspace, message.to.slice(3));
      if (inbox) this.#supply.arrived(inbox, message);
      return;
    }
    for (const inbox of this.#open.in(workspace)) {
      const entry = this.#deps.store.agents.index.in(workspace).find(inbox.agentId);
      if (entry && isInAudience(message, entry)) this.#supply.arrived(inbox, message);
    }
  }

  #inboxOf({ workspace, agentId }: { readonly workspace: string; readonly agentId: string }): Inbox {
    return this.#open.of(workspace, agentId, this.#deps.clock.now());
  }
}
