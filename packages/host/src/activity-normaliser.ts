import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import { repairEvent } from './repair-event.ts';
import { MAX_FIELD_LENGTH, truncateEvent } from './truncate-event.ts';

/** What becomes of one event: entries to store, in order, and deltas that only those who watch live see. */
export interface NormalisedActivity {
  readonly stored: readonly AgentEvent[];
  readonly live: readonly AgentEvent[];
}

interface PartialText {
  readonly type: 'text' | 'reasoning' | 'tool';
  readonly turnId: string;
  readonly itemId: string;
  text: string;
}

const MAX_PARTIAL_ITEMS = 256;

/**
 * Turns a session's events into what is stored and what is only live. Deltas are never stored: the completed text is. A text whose turn ended
 * before it was completed is stored as far as it came; a tool that ended without saying its output gets the output that was streamed.
 */
export class ActivityNormaliser {
  readonly #partial = new RecentMap<string, PartialText>(MAX_PARTIAL_ITEMS);

  accept(event: AgentEvent): NormalisedActivity {
    switch (event.type) {
      case 'text.delta':
      case 'reasoning.delta':
        this.#collect(event.type === 'text.delta' ? 'text' : 'reasoning', event.turnId, event.itemId, event.text);
        return { stored: [], live: [storable(event)] };
      case 'tool.updated':
        this.#collect('tool', event.turnId, event.itemId, event.output);
        return { stored: [], live: [storable(event)] };
      case 'text.completed':
        this.#partial.delete(keyOf('text', event.itemId));
        return { stored: [storable(event)], live: [] };
      case 'reasoning.completed':
        this.#partial.delete(keyOf('reasoning', event.itemId));
        return { stored: [storable(event)], live: [] };
      case 'tool.completed': {
        const streamed = this.#take(keyOf('tool', event.itemId));
        return {
          stored: [storable(event.output === undefined && streamed !== null ? { ...event, output: streamed.text } : event)],
          live: [],
        };
      }
      case 'turn.completed':
      case 'turn.failed':
        return { stored: [...this.#unfinished(event.turnId), storable(event)], live: [] };
      case 'session.ended':
        return { stored: [...this.#unfinished(null), storable(event)], live: [] };
      default:
        return { stored: [storable(event)], live: [] };
    }
  }

  #collect(type: PartialText['type'], turnId: string, itemId: string, text: string): void {
    const key = keyOf(type, itemId);
    const partial = this.#partial.get(key);
    if (partial) {
      if (partial.text.length <= MAX_FIELD_LENGTH) partial.text += text;
      return;
    }
    this.#partial.set(key, { type, turnId, itemId, text });
  }

  #take(key: string): PartialText | null {
    const partial = this.#partial.get(key) ?? null;
    this.#partial.delete(key);
    return partial;
  }

  #unfinished(turnId: string | null): AgentEvent[] {
    const events: AgentEvent[] = [];
    for (const [key, partial] of this.#partial) {
      if (turnId !== null && partial.turnId !== turnId) continue;
      this.#partial.delete(key);
      if (partial.type === 'tool') continue;
      const { itemId, text } = partial;
      events.push(
        storable({ type: partial.type === 'text' ? 'text.completed' : 'reasoning.completed', turnId: partial.turnId, itemId, text }),
      );
    }
    return events;
  }
}

const keyOf = (type: PartialText['type'], itemId: string): string => `${type} ${itemId}`;

/**
 * One event that does not fit the schema would make the relay refuse all that follow it: it is mended, and only one that cannot be is replaced by
 * one that says so.
 */
function storable(event: AgentEvent): AgentEvent {
  const parsed = AgentEventSchema.safeParse(event);
  if (parsed.success) return truncateEvent(parsed.data);
  const repaired = repairEvent(event);
  if (repaired !== null) return truncateEvent(repaired);
  const paths = parsed.error.issues.slice(0, 5).map((issue) => issue.path.map(String).join('.'));
  return { type: 'vendor.event', vendor: 'host', name: 'invalid_event', data: { type: String(event.type).slice(0, 100), paths } };
}
