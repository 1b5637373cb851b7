import type { InboxItem, Message } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import { recordAt } from '../../domain/delivery.ts';
import { takePage } from '../../domain/page.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { Store } from '../../store/store.ts';
import { charactersOf } from './inbox.ts';
import type { PeekedPage, PeekRequest, PollRequest } from './inbox-requests.ts';
import type { OpenInboxes } from './open-inboxes.ts';

const PAGE = 256;

export interface InboxPeeksDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries'>;
  readonly feed: Pick<EventFeed, 'position'>;
  readonly clock: Clock;
  readonly open: Pick<OpenInboxes, 'find'>;
  readonly nonce: () => string;
}

/** Looking at what waits, which changes nothing. */
export class InboxPeeks {
  readonly #deps: InboxPeeksDeps;
  /** Who waits for mail to look at. */
  readonly #waiting = new Set<{ readonly workspace: string; readonly agentId: string; readonly bell: Bell }>();
  #isClosed = false;

  constructor(deps: InboxPeeksDeps) {
    this.#deps = deps;
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
    const waiter = { workspace, agentId, bell };
    this.#waiting.add(waiter);
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
      this.#waiting.delete(waiter);
    }
  }

  /** What waits behind `after`, and what has been handed over but not written yet, as much as one answer may carry; changes nothing. */
  async peek({ workspace, agentId, limit, after: from }: PeekRequest): Promise<PeekedPage> {
    const { store, feed, clock, open, nonce } = this.#deps;
    const waiting: InboxItem[] = [];
    // One more than is asked for, which says that there is more.
    for (let after = from; waiting.length <= limit; ) {
      const { items: found, through } = await store.deliveries.waiting(workspace, agentId, after, PAGE);
      for (const { message, record } of found) {
        const wasHandedOver = open.find(workspace, agentId)?.get(message.id)?.isHandedOver ?? false;
        const { state } = recordAt(record, message.expiresAt, wasHandedOver, clock.now());
        if (state === 'expired' || waiting.length > limit) continue;
        waiting.push({ message, state: state === 'queued' && wasHandedOver ? 'dispatched' : state, nonce: nonce() });
      }
      if (through <= after || through >= feed.position || takePage(waiting, limit, charactersIn).isCut) break;
      after = through;
    }
    const { rows, isCut } = takePage(waiting, limit, charactersIn);
    return { items: rows, next: isCut ? (rows.at(-1)?.message.id ?? null) : null };
  }

  /** A message was sent: who waits for it looks again. */
  arrived(workspace: string, message: Message): void {
    for (const waiter of this.#waiting) {
      if (waiter.workspace !== workspace) continue;
      const entry = isDirect(message.to) ? undefined : this.#deps.store.agents.index.in(workspace).find(waiter.agentId);
      if (message.to === `id:${waiter.agentId}` || (entry && isInAudience(message, entry))) waiter.bell.ring();
    }
  }

  /** Who waits is answered with what there is. */
  close(): void {
    this.#isClosed = true;
    for (const { bell } of this.#waiting) bell.ring();
  }
}

const charactersIn = ({ message }: InboxItem): number => charactersOf(message);
