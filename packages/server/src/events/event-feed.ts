import type { EventFilter, EventReset, Message, RelayEvent } from 'agent-relay-protocol';
import { messageOf } from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import type { Clock } from '../clock.ts';
import { isInAudience } from '../domain/audience.ts';
import { type FilterCriteria, matchesFilter, messageAbout, namedAgents, needsMessage, needsReading } from '../domain/event-filter.ts';
import { type About, unread } from '../domain/event-readers.ts';
import type { ReaderRights } from '../domain/event-table.ts';
import { nobody } from '../domain/readership.ts';
import type { Logger } from '../logger.ts';
import { Recovery } from '../recovery.ts';
import type { LogEntry, Store } from '../store/store.ts';
import type { EventBatch, EventStream } from './event-stream.ts';
import { PageTurns } from './page-turns.ts';
import { ownTurn, type StreamTurn } from './stream-turn.ts';
import { Subscription } from './subscription.ts';

/** Entries read at a time, by the tail and by a reader that pages. */
const PAGE_ENTRIES = 512;
/** And characters of them: what one reader that stopped in the middle of its page keeps in memory. */
const PAGE_CHARACTERS = 512 * 1024;

export interface FeedDeps {
  readonly store: Pick<Store, 'agents' | 'messages' | 'log'>;
  readonly clock: Pick<Clock, 'schedule'>;
  readonly log: Logger;
}

/** Who follows the log. */
export interface LogReader extends ReaderRights {
  readonly workspace: string;
  /** As in the store's `Asked`. */
  readonly caller: string;
}

/** Until when a stream is followed, and when it may take its next batch. */
interface Following {
  readonly signal: AbortSignal;
  readonly turn?: StreamTurn | undefined;
}

interface Needed {
  readonly message: Message | null;
  readonly thread: number | null;
}

/** Sees each committed entry once, in order, before any subscriber does. Must not throw. */
export type EntryListener = (entry: LogEntry) => void;

/**
 * The bell over the log and the one tail behind it. A commit rings; the tail then reads each committed stretch once and hands it to those
 * it concerns, found by index, so that a direct message costs the same with ten readers or ten thousand. Readers that are not at the tail
 * page from the log.
 */
export class EventFeed {
  readonly #deps: FeedDeps;
  readonly #stopListening: () => void;
  readonly #listeners = new Set<EntryListener>();
  readonly #byAgent = new Map<string, Map<string, Set<Subscription>>>();
  readonly #firehoses = new Map<string, Set<Subscription>>();
  readonly #pageTurns = new PageTurns();
  readonly #closing = new AbortController();
  #position: number;
  /** Up to here entries have been handed out, or are being handed out. */
  #begun: number;
  #fault: string | null = null;
  /** Those for whom something lies ready, in the order in which it began to. */
  readonly #owed = new Set<Subscription>();
  readonly #tail: Pump;
  readonly #recovery: Recovery;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
    this.#position = deps.store.log.head;
    this.#begun = this.#position;
    const { clock, log } = deps;
    const words = { fault: 'the log could not be read for live readers', recovered: 'the log is read for live readers again' };
    this.#recovery = new Recovery({ clock, log, ...words, again: () => this.#tail.wake() });
    this.#tail = new Pump(
      () => this.#readOn(),
      (error) => {
        this.#fault = messageOf(error);
        this.#recovery.failed(error);
      },
    );
    this.#stopListening = deps.store.log.onCommit(() => this.#tail.wake());
  }

  /** Everything up to here has been handed to listeners and live subscribers. */
  get position(): number {
    return this.#position;
  }

  /** Why live readers get nothing; null while they do. */
  get fault(): string | null {
    return this.#fault;
  }

  onEntry(listener: EntryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows the log of a workspace until the signal aborts. A cursor that cannot be continued is answered by one `reset`. */
  open({ workspace, caller, ...rights }: LogReader, filter: EventFilter, { signal, turn = ownTurn }: Following): EventStream {
    const { log } = this.#deps.store;
    const { after = log.head, generation = log.generation, ...asked } = filter;
    const criteria = { ...asked, ...rights };
    const reset = generation === log.generation ? this.#resetFor(after) : this.#reset('generation');
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const batches = reset ? once({ reset }) : this.#follow(new Subscription(workspace, criteria, after, caller), ended, turn);
    return { cursor: after, generation: log.generation, batches };
  }

  /** How many follow the log, and how far the slowest is behind. A live reader that has nothing lying has all there is. */
  readers(): { readonly live: number; readonly behind: number; readonly maxLag: number } {
    const { head } = this.#deps.store.log;
    let live = 0;
    let behind = 0;
    let maxLag = 0;
    for (const subscription of this.#subscriptions()) {
      if (subscription.isLive) live += 1;
      else behind += 1;
      maxLag = Math.max(maxLag, subscription.lag(head));
    }
    return { live, behind, maxLag };
  }

  *#subscriptions(): Generator<Subscription> {
    for (const group of this.#firehoses.values()) yield* group;
    for (const byAgent of this.#byAgent.values()) for (const group of byAgent.values()) yield* group;
  }

  /** Ends all subscriptions. Idempotent. */
  close(): void {
    this.#stopListening();
    this.#recovery.close();
    this.#closing.abort();
  }

  async #readOn(): Promise<void> {
    const { store } = this.#deps;
    while (this.#position < store.log.head) {
      const { entries, through } = await store.log.read(this.#position, PAGE_ENTRIES, PAGE_CHARACTERS);
      for (const entry of entries) {
        this.#begun = Math.max(this.#begun, entry.last);
        for (const listener of this.#listeners) listener(entry);
        // Awaited only where a filter needs the store: a page handed out in one go wakes each reader once, for all of it.
        const fetching = this.#handOut(entry);
        if (fetching) await fetching;
      }
      // Only now: after a fault the same stretch is read again.
      this.#position = through;
      this.#letGoOfForgotten();
    }
    this.#fault = null;
    this.#recovery.succeeded();
  }

  /** What lies ready is the log's own end in memory. What that has let go of is kept for nobody: its reader pages from the disk. */
  #letGoOfForgotten(): void {
    const { rememberedAfter } = this.#deps.store.log;
    for (const subscription of this.#owed) {
      if (subscription.oldest !== null && subscription.oldest > rememberedAfter) break;
      this.#owed.delete(subscription);
      if (subscription.oldest !== null) subscription.fallBehind(subscription.oldest);
    }
  }

  /** Hands the entry to those it concerns; a promise when a filter needs a message that has to be fetched first. */
  #handOut(entry: LogEntry): Promise<void> | null {
    const { workspace } = entry;
    if (!this.#firehoses.has(workspace) && !this.#byAgent.has(workspace)) return null;
    const events = entry.events();
    const characters = entry.characters / events.length;
    for (const [index, event] of events.entries()) {
      const candidates = this.#candidates(workspace, event);
      if (candidates.some(({ criteria }) => needsMessage(event, criteria) || needsReading(event, criteria)))
        return this.#handOutFetching(workspace, events.slice(index), characters);
      for (const subscription of candidates) this.#offer(event, subscription, { about: unread, characters });
    }
    return null;
  }

  async #handOutFetching(workspace: string, events: readonly RelayEvent[], characters: number): Promise<void> {
    for (const event of events) {
      for (const subscription of this.#candidates(workspace, event)) {
        if (!subscription.isLive) continue;
        const { message, thread } = await this.#messageOf(event, subscription);
        const participants = thread === null ? nobody : this.#deps.store.messages.participantsAtOnce(workspace, thread);
        // Nobody waits for a long look: who needs it takes it by itself, where it pages.
        if (participants === null) subscription.fallBehind(event.seq);
        else this.#offer(event, subscription, { about: { message, participants }, characters });
      }
    }
  }

  #offer(
    event: RelayEvent,
    subscription: Subscription,
    { about, characters }: { readonly about: About; readonly characters: number },
  ): void {
    if (!subscription.isLive || event.seq <= subscription.cursor || !this.#matches(event, subscription, about)) return;
    subscription.offer(event, characters);
    this.#owed.add(subscription);
  }

  #candidates(workspace: string, event: RelayEvent): readonly Subscription[] {
    const found = [...(this.#firehoses.get(workspace) ?? [])];
    const byAgent = this.#byAgent.get(workspace);
    if (!byAgent) return found;
    const named = namedAgents(event);
    if (named) {
      for (const [index, agentId] of named.entries()) {
        if (named.indexOf(agentId) === index) found.push(...(byAgent.get(agentId) ?? []));
      }
      return found;
    }
    for (const [agentId, subscriptions] of byAgent) {
      if (event.type === 'message.new' && !this.#isConcerned(workspace, agentId, event.message)) continue;
      found.push(...subscriptions);
    }
    return found;
  }

  #isConcerned(workspace: string, agentId: string, message: Message): boolean {
    if (message.from === agentId) return true;
    const entry = this.#deps.store.agents.index.in(workspace).find(agentId);
    return entry !== undefined && isInAudience(message, entry);
  }

  async *#follow(subscription: Subscription, signal: AbortSignal, turn: StreamTurn): AsyncGenerator<EventBatch> {
    const group = this.#enter(subscription);
    const wake = () => subscription.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        await subscription.changed();
        await turn.begin(signal);
        if (signal.aborted) return;
        this.#owed.delete(subscription);
        const batch = subscription.isLive ? { events: subscription.take() } : await this.#page(subscription, signal);
        if ('reset' in batch || batch.events.length > 0) yield batch;
        turn.end();
        if ('reset' in batch) return;
      }
    } finally {
      turn.end();
      signal.removeEventListener('abort', wake);
      this.#leave(subscription, group);
    }
  }

  /** The reader's next page of the log; the one that reaches the tail makes it live. */
  async #page(subscription: Subscription, signal: AbortSignal): Promise<EventBatch> {
    if (subscription.cursor < this.#deps.store.log.head) await this.#pageTurns.next();
    if (signal.aborted) return { events: [] };
    const reset = this.#resetFor(subscription.cursor);
    if (reset) return { reset };
    const { entries, through } = await this.#deps.store.log.read(subscription.cursor, PAGE_ENTRIES, PAGE_CHARACTERS);
    const events: RelayEvent[] = [];
    for (const entry of entries) {
      if (entry.workspace !== subscription.workspace) continue;
      for (const event of entry.events()) {
        if (event.seq <= subscription.cursor) continue;
        const about = await this.#aboutOf(event, subscription);
        if (this.#matches(event, subscription, about)) events.push(event);
      }
    }
    subscription.cursor = through;
    if (through >= this.#begun) subscription.goLive();
    return { events };
  }

  #matches(event: RelayEvent, { workspace, criteria }: Subscription, about: About): boolean {
    const member = criteria.for === undefined ? null : (this.#deps.store.agents.index.in(workspace).find(criteria.for) ?? null);
    return matchesFilter(event, criteria, about, member);
  }

  /** What the criteria need of the message that an event is or tells of. */
  async #aboutOf(event: RelayEvent, subscription: Subscription): Promise<About> {
    const { message, thread } = await this.#messageOf(event, subscription);
    if (thread === null) return { message, participants: nobody };
    return { message, participants: await this.#deps.store.messages.participants(subscription.workspace, thread, subscription.caller) };
  }

  /** The message that an event is or tells of, where the criteria need it; and its thread, where only those who take part in it may have it. */
  async #messageOf(event: RelayEvent, { workspace, criteria }: Subscription): Promise<Needed> {
    const isReadThroughIt = needsReading(event, criteria);
    if (!isReadThroughIt && !needsMessage(event, criteria)) return { message: null, thread: null };
    const message = event.type === 'message.new' ? event.message : await this.#messageAbout(workspace, event);
    const isOpen = message === null || !isReadThroughIt || criteria.mayRead(message, nobody);
    return { message, thread: isOpen ? null : message.threadId };
  }

  async #messageAbout(workspace: string, event: RelayEvent): Promise<Message | null> {
    const id = messageAbout(event);
    const stored = id === null ? null : await this.#deps.store.messages.get(workspace, id);
    return stored?.message ?? null;
  }

  #enter(subscription: Subscription): Set<Subscription> {
    const group = this.#groupOf(subscription.workspace, subscription.criteria);
    group.add(subscription);
    return group;
  }

  #leave(subscription: Subscription, group: Set<Subscription>): void {
    const { workspace, criteria } = subscription;
    group.delete(subscription);
    this.#owed.delete(subscription);
    if (group.size > 0) return;
    if (criteria.for === undefined) {
      this.#firehoses.delete(workspace);
      return;
    }
    const byAgent = this.#byAgent.get(workspace);
    byAgent?.delete(criteria.for);
    if (byAgent?.size === 0) this.#byAgent.delete(workspace);
  }

  #groupOf(workspace: string, criteria: FilterCriteria): Set<Subscription> {
    if (criteria.for === undefined) return entryOf(this.#firehoses, workspace, () => new Set());
    const byAgent = entryOf(this.#byAgent, workspace, () => new Map<string, Set<Subscription>>());
    return entryOf(byAgent, criteria.for, () => new Set());
  }

  #resetFor(after: number): EventReset | null {
    const { log } = this.#deps.store;
    if (after > log.head) return this.#reset('ahead');
    // The log that this cursor is of has ended there: what it saw up to it is not what is stored.
    if (log.skipped.some((skipped) => skipped.after < after && after < skipped.through)) return this.#reset('generation');
    return after < log.floor ? this.#reset('pruned') : null;
  }

  #reset(reason: EventReset['reason']): EventReset {
    const { floor, head, generation } = this.#deps.store.log;
    return { reason, oldest: floor + 1, head, generation };
  }
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

async function* once(batch: EventBatch): AsyncGenerator<EventBatch> {
  yield batch;
}
