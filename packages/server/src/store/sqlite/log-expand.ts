import type { RelayEvent } from 'agent-relay-protocol';

/** The bodies of a row: one object, or an array of as many as the row counts. */
export function bodiesOf(count: number, text: string): readonly object[] {
  const body: unknown = JSON.parse(text);
  if (count > 1 && Array.isArray(body)) return body;
  return typeof body === 'object' && body !== null ? [body] : [];
}

/** Gives each body of a row its type, its own sequence and the row's time. */
export function expandEvents(type: string, first: number, at: number, bodies: readonly object[]): readonly RelayEvent[] {
  const isExpiry = type === 'delivery.expired';
  return bodies.map((body, index) => {
    const event = { type, seq: first + index, at, ...(isExpiry ? { count: 1 } : {}), ...body };
    // Only the log writes this table, from a NewEvent: type and body belong together.
    return event as unknown as RelayEvent;
  });
}
