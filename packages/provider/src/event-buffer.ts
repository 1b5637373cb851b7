import type { AgentEvent } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';

/** What may be lost when nobody reads: each is repeated whole by a later event, or is a detail of the vendor's. */
type Droppable = Extract<AgentEvent, { type: 'text.delta' | 'reasoning.delta' | 'tool.updated' | 'output.line' | 'vendor.event' }>;

type Delta = Extract<AgentEvent, { type: 'text.delta' | 'reasoning.delta' }>;

type Reader = (result: IteratorResult<AgentEvent, undefined>) => void;

interface Entry {
  event: AgentEvent;
  weight: number;
}

/** A delta that has grown this long is left alone, so that no event becomes unreadable. */
const longestDelta = 16 * 1024;
/** What an event costs beside its text. */
const baseWeight = 128;

/**
 * Holds what a session said until its one reader takes it. A waiting delta grows instead of being joined by another; at `limit`
 * characters the oldest deltas, progress lines and vendor events go, state events never do. When even that is not enough,
 * `room()` waits, so that the session stops reading its vendor. With `wait` nothing goes, and `room()` waits from the limit on.
 */
export class EventBuffer implements AsyncIterator<AgentEvent, undefined> {
  readonly #limit: number;
  readonly #whenFull: 'drop' | 'wait';
  #entries: (Entry | undefined)[] = [];
  /** Where the oldest entry is: taking it off the array's front would cost the array's length each time. */
  #head = 0;
  #weight = 0;
  #droppableWeight = 0;
  #dropped = 0;
  #isEnded = false;
  #isAbandoned = false;
  #isWaking = false;
  #reader: Reader | undefined;
  readonly #room = new Bell();

  constructor(limit: number, whenFull: 'drop' | 'wait' = 'drop') {
    this.#limit = limit;
    this.#whenFull = whenFull;
  }

  get dropped(): number {
    return this.#dropped;
  }

  push(event: AgentEvent): void {
    if (this.#isEnded) return;
    if (this.#reader && this.#entries.length === 0 && !isDelta(event)) {
      this.#hand(this.#reader, { done: false, value: event });
      return;
    }
    const added = weigh(event);
    const last = this.#entries.at(-1);
    const grown = last && joined(last.event, event);
    if (last && grown) {
      last.event = grown;
      last.weight += added - baseWeight;
      this.#weight += added - baseWeight;
      this.#droppableWeight += added - baseWeight;
    } else {
      this.#entries.push({ event, weight: added });
      this.#weight += added;
      if (isDroppable(event)) this.#droppableWeight += added;
    }
    if (this.#reader && isDelta(event)) this.#wakeLater();
    else this.#wake();
    // Looking through everything is worth it only where it makes room for as much again.
    if (this.#whenFull === 'drop' && this.#weight > this.#limit && this.#droppableWeight > this.#limit / 8) this.#dropOldest();
  }

  /** Resolves at once while there is room, else when the reader has brought the buffer down to half of its limit. */
  room(): Promise<void> {
    if (this.#isEnded || this.#weight <= this.#limit) return Promise.resolve();
    return this.#room.next();
  }

  /** What is buffered is still read. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
    this.#room.ring();
  }

  next(): Promise<IteratorResult<AgentEvent, undefined>> {
    const ready = this.#ready();
    if (ready) return Promise.resolve(ready);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** Undefined where the reader has to wait. */
  #ready(): IteratorResult<AgentEvent, undefined> | undefined {
    const entry = this.#take();
    if (!entry) return this.#isEnded || this.#isAbandoned ? { done: true, value: undefined } : undefined;
    this.#weight -= entry.weight;
    if (isDroppable(entry.event)) this.#droppableWeight -= entry.weight;
    if (this.#weight <= this.#limit / 2) this.#room.ring();
    return { done: false, value: entry.event };
  }

  #wake(): void {
    const reader = this.#reader;
    const ready = reader && this.#ready();
    if (ready) this.#hand(reader, ready);
  }

  #hand(reader: Reader, result: IteratorResult<AgentEvent, undefined>): void {
    this.#reader = undefined;
    reader(result);
  }

  /** What its vendor said in one piece is read in one: a reader would otherwise take each delta by itself, and none would grow. */
  #wakeLater(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      this.#wake();
    });
  }

  return(): Promise<IteratorResult<AgentEvent, undefined>> {
    this.#isAbandoned = true;
    this.end();
    this.#entries = [];
    this.#head = 0;
    this.#weight = 0;
    this.#droppableWeight = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  #dropOldest(): void {
    const target = this.#limit * 0.75;
    this.#entries = this.#entries.slice(this.#head).filter((entry) => {
      if (!entry || this.#weight <= target || !isDroppable(entry.event)) return true;
      this.#weight -= entry.weight;
      this.#droppableWeight -= entry.weight;
      this.#dropped += 1;
      return false;
    });
    this.#head = 0;
  }

  #take(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#entries.length || (this.#head >= 1024 && this.#head * 2 >= this.#entries.length)) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }
}

const isDelta = (event: AgentEvent): event is Delta => event.type === 'text.delta' || event.type === 'reasoning.delta';

function isDroppable(event: AgentEvent): event is Droppable {
  switch (event.type) {
    case 'text.delta':
    case 'reasoning.delta':
    case 'tool.updated':
    case 'output.line':
    case 'vendor.event':
      return true;
    default:
      return false;
  }
}

function joined(last: AgentEvent, next: AgentEvent): AgentEvent | undefined {
  if (!isDelta(last) || !isDelta(next) || last.type !== next.type) return undefined;
  if (last.itemId !== next.itemId || last.turnId !== next.turnId || last.text.length + next.text.length > longestDelta) return undefined;
  return { ...last, text: last.text + next.text };
}

function weigh(event: AgentEvent): number {
  return baseWeight + ('text' in event && event.text !== undefined ? event.text.length : JSON.stringify(event).length);
}
