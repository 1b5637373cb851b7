import { createHash } from 'node:crypto';
import { asText } from 'agent-relay-protocol';

/** Longer than any id that a vendor makes itself, and short enough to survive every cut on an event's way. */
const longestOwn = 120;

/**
 * A vendor's id as our events carry it: a string of 1 to 120 characters. One that fits stays; any other becomes a short one that is made from
 * it, so that the same id is always the same here. Gateways make ids of a thousand characters, and some vendors number things.
 */
export function ourId(id: unknown): string {
  const text = asText(id);
  if (text !== '' && text.length <= longestOwn) return text;
  return `long-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
