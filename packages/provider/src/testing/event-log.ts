import type { AgentEvent, AgentEventType } from 'agent-relay-protocol';
import type { AgentSession } from '../contract.ts';

export type EventOf<Type extends AgentEventType> = Extract<AgentEvent, { type: Type }>;

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

/** Reads a session's events from the start and lets a test wait until one has come. */
export class EventLog {
  readonly events: AgentEvent[] = [];
  /** Resolves when the session's iteration has ended. */
  readonly finished: Promise<void>;
  #isFinished = false;
  #waiters: Waiter[] = [];

  constructor(session: Pick<AgentSession, 'events'>) {
    this.finished = this.#read(session.events);
  }

  ofType<Type extends AgentEventType>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  /** The first event of this type that fits, from `after` on. Rejects with the events so far when none comes in time. */
  async waitFor<Type extends AgentEventType>(
    type: Type,
    fits: (event: EventOf<Type>) => boolean = () => true,
    { after = 0, timeoutMs = 90_000 }: { after?: number; timeoutMs?: number } = {},
  ): Promise<EventOf<Type>> {
    const find = () =>
      this.events.slice(after).find((event): event is EventOf<Type> => event.type === type && fits(event as EventOf<Type>)); // the type was compared just before
    await this.until(() => find() !== undefined, `the event ${type}`, timeoutMs);
    const found = find();
    if (found === undefined) throw new Error(`The session ended without ${type}.\n${this.toString()}`);
    return found;
  }

  /** The end of the next turn that ends after `after` events. */
  async waitForTurnEnd(after = 0): Promise<EventOf<'turn.completed'> | EventOf<'turn.failed'>> {
    const find = () => this.events.slice(after).find((event) => event.type === 'turn.completed' || event.type === 'turn.failed');
    await this.until(() => find() !== undefined, 'the end of a turn');
    const found = find();
    if (found?.type !== 'turn.completed' && found?.type !== 'turn.failed') throw new Error(`No turn ended.\n${this.toString()}`);
    return found;
  }

  /** Waits until `isMet`, looked at after each event, or until the session has ended. */
  async until(isMet: () => boolean, what: string, timeoutMs = 90_000): Promise<void> {
    if (isMet() || this.#isFinished) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Waited ${timeoutMs} ms for ${what}.\n${this.toString()}`)), timeoutMs);
    });
    const met = new Promise<void>((resolve) => this.#waiters.push({ isMet, resolve }));
    await Promise.race([met, late]).finally(() => clearTimeout(timer));
  }

  toString(): string {
    return this.events.map((event) => JSON.stringify(event).slice(0, 300)).join('\n');
  }

  async #read(events: AsyncIterable<AgentEvent>): Promise<void> {
    try {
      for await (const event of events) {
        this.events.push(event);
        this.#wake();
      }
    } finally {
      this.#isFinished = true;
      this.#wake();
    }
  }

  #wake(): void {
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!this.#isFinished && !waiter.isMet()) return true;
      waiter.resolve();
      return false;
    });
  }
}
