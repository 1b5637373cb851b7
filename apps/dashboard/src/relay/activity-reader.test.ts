import type { ActivityEntry, RelayClient } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { ActivityReader, nothingRead, type ShownActivity } from './activity-reader.ts';

const PAGE = 1_000;
const entryOf = (id: number): ActivityEntry => ({
  ...{ id, agentId: 'Worker', sessionId: 's', seq: id, at: id, late: false },
  event: { type: 'user.message', text: `${id}` },
});

interface Asked {
  readonly after?: number;
  readonly before?: number;
}

/** A relay with so many entries, numbered from 1. What was asked of it, and what it is told to say as it happens. */
function relayWith(count: number) {
  const asked: Asked[] = [];
  const followed: number[] = [];
  const activity = async ({ after = 0, before = count + 1 }: Asked) => {
    asked.push({ ...(after > 0 && { after }), ...(before <= count && { before }) });
    const isBack = after === 0;
    const ids = Array.from({ length: before - after - 1 }, (_, index) => after + 1 + index);
    const page = isBack ? ids.slice(-PAGE) : ids.slice(0, PAGE);
    return { data: page.map(entryOf), cursor: count, ...(page.length < ids.length && { nextCursor: isBack ? page[0] : page.at(-1) }) };
  };
  async function* follow(_id: string, { after }: { readonly after: number }) {
    followed.push(after);
    yield entryOf(after + 1);
  }
  // Of a relay these alone are asked.
  return { relay: { agents: { activity }, activity: follow } as unknown as RelayClient, asked, followed };
}

function readerOf({ relay }: ReturnType<typeof relayWith>) {
  const seen: { last: ShownActivity } = { last: nothingRead };
  const reader = new ActivityReader({ relay, which: { id: 'Worker' }, tell: (shown) => (seen.last = shown) });
  return { reader, ids: () => seen.last.blocks.map((block) => block.at), shown: () => seen.last };
}

test('from its end a log is read one page, and on as it happens', async () => {
  const world = relayWith(2_500);
  const { reader, ids, shown } = readerOf(world);
  await reader.begin(null);
  await expect.poll(() => ids().at(-1)).toBe(2_501);
  expect([ids()[0], shown().isWhole, shown().isAtEnd, world.followed]).toEqual([1_501, false, true, [2_500]]);
  expect([await reader.older(), await reader.older(), shown().isWhole]).toEqual([false, true, true]);
  expect(ids()).toEqual(Array.from({ length: 2_501 }, (_, index) => index + 1));
});

test('around an entry a page before and one after it are read, however far back it lies; further on as it is asked to', async () => {
  const world = relayWith(50_000);
  const { reader, ids, shown } = readerOf(world);
  await reader.begin(47_500);
  expect([ids()[0], ids().at(-1), shown().isAtEnd, world.asked.length]).toEqual([46_501, 48_500, false, 2]);
  expect(world.followed).toEqual([]);
  expect([await reader.newer(), await reader.newer()]).toEqual([false, true]);
  await expect.poll(() => ids().at(-1)).toBe(50_001);
  expect([shown().isAtEnd, world.followed, ids().length]).toEqual([true, [50_000], 3_501]);
});

test('what comes for a log that is looked at no more is not shown', async () => {
  const world = relayWith(10);
  const { reader, shown } = readerOf(world);
  const beginning = reader.begin(null);
  reader.close();
  await beginning;
  expect(shown()).toBe(nothingRead);
});
