import type { Delivery, Message, WaitFor } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { isDirect, isInAudience } from '../../domain/audience.ts';
import type { StoredMessage } from '../../domain/change.ts';
import { advanceDelivery, type DeliveryRecord, hasReached, queuedRecord, recordAt } from '../../domain/delivery.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { LogEntry, Store } from '../../store/store.ts';

export interface ReceiptsDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries' | 'messages'>;
  readonly feed: EventFeed;
  readonly clock: Clock;
}

/** Why mail that was taken back reached nobody. */
export const DELETED = 'The message was deleted';

interface WaitOptions {
  readonly state: WaitFor['state'];
  readonly scope: 'any' | 'all';
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The copy of a message to many that nothing has happened to: it goes where its message goes. */
function untouchedRecord({ createdAt, expiresAt, deletedAt }: Message, now: number): DeliveryRecord {
  const queued = queuedRecord(createdAt);
  if (deletedAt === null) return recordAt(queued, expiresAt, false, now);
  const current = recordAt(queued, expiresAt, false, deletedAt);
  return advanceDelivery(current, { state: 'failed', reason: DELETED }, deletedAt) ?? current;
}

/** Every recipient's receipt, and waiting for them. */
export class Receipts {
  readonly #deps: ReceiptsDeps;
  readonly #stopListening: () => void;
  readonly #waiting = new Map<number, Set<Bell>>();
  #isClosed = false;

  constructor(deps: ReceiptsDeps) {
    this.#deps = deps;
    this.#stopListening = deps.feed.onEntry((entry) => this.#notice(entry));
  }

  /** One receipt a recipient, by agent id; a fan-out recipient that nothing happened to is queued, or expired with its message. */
  async of({ workspace, message }: StoredMessage): Promise<readonly Delivery[]> {
    const { store, clock } = this.#deps;
    const known = new Map((await store.deliveries.ofMessage(workspace, message.id)).map((delivery) => [delivery.agentId, delivery]));
    if (!isDirect(message.to)) {
      for (const entry of store.agents.index.in(workspace).agents()) {
        if (known.has(entry.agentId) || !isInAudience(message, entry)) continue;
        const { readAt: _readAt, ...record } = untouchedRecord(message, clock.now());
        known.set(entry.agentId, { messageId: message.id, agentId: entry.agentId, ...record });
      }
    }
    return [...known.values()].sort((one, other) => (one.agentId < other.agentId ? -1 : 1));
  }

  /** Waits until any or all recipients got so far. Ends early when none is left who could, or the caller has gone. */
  async wait(
    stored: StoredMessage,
    { state, scope, timeoutMs, signal }: WaitOptions,
  ): Promise<{ reached: boolean; deliveries: Delivery[] }> {
    const { id, claimable } = stored.message;
    // Offered work is one agent's to do: the others have nothing to answer.
    const isOneEnough = scope === 'any' || (claimable && state === 'answered');
    let isOver = signal.aborted || timeoutMs === 0;
    const bell = new Bell();
    const end = () => {
      isOver = true;
      bell.ring();
    };
    const bells = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, bells.add(bell));
    const cancelTimer = this.#deps.clock.schedule(end, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const seen = bell.rings;
        const deliveries = [...(await this.of((await this.#deps.store.messages.get(stored.workspace, id)) ?? stored))];
        const reached = deliveries.filter((delivery) => hasReached(delivery.state, state)).length;
        const isReached = deliveries.length > 0 && (isOneEnough ? reached > 0 : reached === deliveries.length);
        const isHopeless = deliveries.every(
          (delivery) => !hasReached(delivery.state, state) && (delivery.state === 'failed' || delivery.state === 'expired'),
        );
        if (isReached || isOver || isHopeless || this.#isClosed) return { reached: isReached, deliveries };
        await bell.after(seen);
      }
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', end);
      bells.delete(bell);
      if (bells.size === 0) this.#waiting.delete(id);
    }
  }

  /** Ends all waits. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    for (const bells of this.#waiting.values()) for (const bell of bells) bell.ring();
  }

  #notice(entry: LogEntry): void {
    if (this.#waiting.size === 0 || entry.stored) return;
    for (const event of entry.events()) {
      const isTold = event.type === 'message.deleted' || event.type.startsWith('delivery.');
      if (!isTold || !('messageId' in event) || event.messageId === null) continue;
      for (const bell of this.#waiting.get(event.messageId) ?? []) bell.ring();
    }
  }
}
