import type { InboxItem, Message } from 'agent-relay-protocol';
import { asText } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { Logger } from '../../logger.ts';
import { Recovery } from '../../recovery.ts';
import type { Store } from '../../store/store.ts';
import type { HandOvers } from './hand-overs.ts';
import type { HeldMail, Inbox, Piece } from './inbox.ts';

const LOAD_PAGE = 256;
/** How far the fan-out floor may move before it is written down. */
const FLOOR_STEP = 1_000;

export interface InboxSupplyDeps {
  readonly store: Pick<Store, 'deliveries'>;
  readonly feed: Pick<EventFeed, 'position'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly handOvers: HandOvers;
  readonly held: HeldMail;
  readonly nonce: () => string;
}

/** How mail comes into an inbox, from the store and as it is sent, and from there to whoever has room for it. */
export class InboxSupply {
  readonly #deps: InboxSupplyDeps;
  /** Whose waiting mail could not be read when somebody fetched it. */
  readonly #unread = new Set<Inbox>();
  readonly #recovery: Recovery;
  #isClosed = false;

  constructor(deps: InboxSupplyDeps) {
    this.#deps = deps;
    const words = { fault: 'waiting mail cannot be read', recovered: 'waiting mail is read again' };
    this.#recovery = new Recovery({ clock: deps.clock, log: deps.log, ...words, again: () => this.#readUnread() });
  }

  /** A message for this agent was sent; it is left in the store when there is no room. */
  arrived(inbox: Inbox, message: Message): void {
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
  advance(inbox: Inbox): void {
    this.#pump(inbox);
    if (inbox.isCaughtUp || inbox.loading || !inbox.hasRoom || (!inbox.stream && !inbox.poll)) return;
    this.load(inbox).then(
      () => {
        this.#unread.delete(inbox);
        if (this.#unread.size === 0) this.#recovery.succeeded();
      },
      (error: unknown) => {
        this.#unread.add(inbox);
        this.#recovery.failed(error);
      },
    );
  }

  #readUnread(): void {
    const unread = [...this.#unread];
    this.#unread.clear();
    for (const inbox of unread) this.advance(inbox);
  }

  load(inbox: Inbox): Promise<void> {
    inbox.loading ??= this.#loadPages(inbox).finally(() => {
      inbox.loading = null;
    });
    return inbox.loading;
  }

  /** Nobody fetches from it any more. */
  drop(inbox: Inbox): void {
    inbox.drop();
    this.#raiseFloor(inbox, 1);
  }

  itemOf({ message, wasDispatched, isHandedOver }: Piece): InboxItem {
    return { message, state: wasDispatched || isHandedOver ? 'dispatched' : 'queued', nonce: this.#deps.nonce() };
  }

  /** Writes down no floors any more. */
  close(): void {
    this.#isClosed = true;
    this.#recovery.close();
  }

  async #loadPages(inbox: Inbox): Promise<void> {
    const { store, feed, held } = this.#deps;
    while (!inbox.isCaughtUp && inbox.hasRoom && !inbox.isDropped) {
      const { workspace, agentId, loadedThrough } = inbox;
      const limit = held.hasRoom ? LOAD_PAGE : 1;
      const { items, through } = await store.deliveries.waiting(workspace, agentId, loadedThrough, limit);
      if (inbox.isDropped) return;
      for (const { message, record } of items) {
        if (!inbox.get(message.id)) inbox.add(message, record.state === 'dispatched');
      }
      inbox.loadedThrough = Math.max(inbox.loadedThrough, through);
      inbox.isCaughtUp = through >= feed.position;
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
      stream.pending.push(this.itemOf(piece));
      if (piece.isHandedOver) this.#deps.handOvers.note(inbox, piece);
    }
    stream.bell.ring();
  }

  #raiseFloor(inbox: Inbox, step: number): void {
    const floor = inbox.fanOutFloor;
    if (floor - inbox.persistedFloor < step || this.#isClosed) return;
    inbox.persistedFloor = floor;
    this.#deps.store.deliveries.raiseFloor(inbox.workspace, inbox.agentId, floor).catch((error: unknown) => {
      this.#deps.log.warn('an inbox floor could not be written', { agentId: inbox.agentId, error: asText(error) });
    });
  }
}
