import type { AgentEvent } from 'agent-relay-protocol';

/** The longest text one field keeps, in UTF-16 code units, and the largest event, as JSON. */
export const MAX_FIELD_LENGTH = 64 * 1024;
export const MAX_EVENT_LENGTH = 256 * 1024;

/** How deep a stored event may nest; the relay takes twice as much. */
const MAX_DEPTH = 32;

interface Limits {
  readonly text: number;
  readonly items: number;
  readonly depth: number;
}
/** The first set of limits an event fits under is used. */
const limitSteps: readonly Limits[] = [
  { text: MAX_FIELD_LENGTH, items: 1000, depth: MAX_DEPTH },
  { text: 8 * 1024, items: 200, depth: 12 },
  { text: 512, items: 40, depth: 6 },
  { text: 128, items: 10, depth: 4 },
];

/** The event with every field cut to a sane size; what was cut says so, and how much is missing. Returns the event itself when nothing is too long or too deep. */
export function truncateEvent(event: AgentEvent): AgentEvent {
  if (!isDeeper(event, MAX_DEPTH) && JSON.stringify(event).length <= MAX_FIELD_LENGTH) return event;
  for (const limits of limitSteps) {
    // The shape stays: only texts grow shorter, lists lose their ends, and JSON beyond the depth becomes a text.
    const cut = cutValue(event, limits, 0) as AgentEvent;
    if (JSON.stringify(cut).length <= MAX_EVENT_LENGTH) return cut;
  }
  // A question, or the start of a tool, is told without its input rather than not at all.
  if ('input' in event && event.input !== undefined) {
    return truncateEvent({ ...event, input: `[${JSON.stringify(event.input).length} characters, too many parts to show]` });
  }
  return {
    type: 'vendor.event',
    vendor: 'host',
    name: 'event_too_large',
    data: { type: event.type, sizeInCharacters: JSON.stringify(event).length },
  };
}

export function truncateText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // Never between the halves of a surrogate pair: half a character is no valid text.
  const end = /[\uD800-\uDBFF]/u.test(text.charAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… [${text.length - end} more characters were cut]`;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => isDeeper(member, depth - 1));
}

function cutValue(value: unknown, limits: Limits, depth: number): unknown {
  if (typeof value === 'string') return truncateText(value, limits.text);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= limits.depth) return truncateText(JSON.stringify(value), limits.text);
  if (Array.isArray(value)) return value.slice(0, limits.items).map((item) => cutValue(item, limits, depth + 1));
  const fields = Object.entries(value).slice(0, limits.items);
  return Object.fromEntries(fields.map(([name, field]) => [truncateText(name, limits.text), cutValue(field, limits, depth + 1)]));
}
