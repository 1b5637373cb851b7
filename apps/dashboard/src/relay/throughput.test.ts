import type { RelayEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { lastSeconds, SHOWN_SECONDS, type Throughput, throughputView } from './throughput.ts';

// Nothing but its kind and its time is looked at.
const said = (at: number) => ({ type: 'message.new', seq: at, at }) as unknown as RelayEvent;
const after = (...events: readonly RelayEvent[]): Throughput =>
  events.reduce<Throughput>((counts, event) => throughputView.apply(counts, event) as Throughput, new Map());

test('messages are counted by the second they came in; the running second is left out, what is old is forgotten', () => {
  const now = 1_000_000;
  const counts = after(said(now - 900_000), said(now - 2_000), said(now - 1_500), said(now - 1_000), said(now));
  const shown = lastSeconds(counts, now);
  expect([shown.length, shown.at(-1), shown.at(-2)]).toEqual([SHOWN_SECONDS, 1, 2]);
  expect(counts.size).toBe(3);
  expect(throughputView.apply(counts, { type: 'agent.removed', seq: 1, at: 1, agentId: 'a' })).toBe(counts);
});
