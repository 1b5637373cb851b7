import type { AgentEvent } from 'agent-relay-protocol';
import type { LinkHolder } from './link-holder.ts';

const GATHER_MS = 25;
const MAX_DELTA_LENGTH = 32 * 1024;
const MAX_EVENTS = 200;

type Waiting = { readonly at: number; events: AgentEvent[] };

/** Deltas on their way to those who watch: gathered for a moment, joined where they follow each other, dropped while there is no link. */
export class LiveDeltas {
  readonly #links: LinkHolder;
  readonly #waiting = new Map<string, Waiting>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(links: LinkHolder) {
    this.#links = links;
  }

  add(sessionId: string, at: number, events: readonly AgentEvent[]): void {
    const waiting = this.#waiting.get(sessionId) ?? { at, events: [] };
    this.#waiting.set(sessionId, waiting);
    for (const event of events) {
      const joined = joinDeltas(waiting.events.at(-1), event);
      if (joined !== null) waiting.events.splice(-1, 1, joined);
      else waiting.events.push(event);
    }
    if (waiting.events.length >= MAX_EVENTS) this.flush(sessionId);
    this.#timer ??= setTimeout(() => this.#flushAll(), GATHER_MS);
  }

  /** Before anything is stored, so that a completed text never overtakes its last delta. */
  flush(sessionId: string): void {
    const waiting = this.#waiting.get(sessionId);
    if (!waiting) return;
    this.#waiting.delete(sessionId);
    this.#links.current?.notify('activity/live', { sessionId, at: waiting.at, events: waiting.events });
  }

  #flushAll(): void {
    this.#timer = null;
    for (const sessionId of [...this.#waiting.keys()]) this.flush(sessionId);
  }
}

function joinDeltas(last: AgentEvent | undefined, next: AgentEvent): AgentEvent | null {
  if (last === undefined || last.type !== next.type) return null;
  if (last.type !== 'text.delta' && last.type !== 'reasoning.delta') return null;
  if (next.type !== 'text.delta' && next.type !== 'reasoning.delta') return null;
  if (last.itemId !== next.itemId || last.text.length + next.text.length > MAX_DELTA_LENGTH) return null;
  return { ...last, text: last.text + next.text };
}
