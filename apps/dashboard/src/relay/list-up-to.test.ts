import { expect, test } from 'vitest';
import { listUpTo } from './list-up-to.ts';

/** Numbers from 100 down, at most three a page. */
const list = async ({ limit, before = 101 }: { limit: number; before?: number }) => {
  const data = Array.from({ length: Math.min(limit, 3, before - 1) }, (_, index) => before - 1 - index);
  const last = data.at(-1) ?? 1;
  return { data, cursor: 7, ...(last > 1 ? { nextCursor: last } : {}) };
};

test('short pages are read on until there is as much as was asked for', async () => {
  expect(await listUpTo(7, list, {})).toEqual({ data: [100, 99, 98, 97, 96, 95, 94], cursor: 7, next: 94 });
});

test('it ends where the list does', async () => {
  const { data, next } = await listUpTo(1_000, list, {});
  expect({ count: data.length, next }).toEqual({ count: 100, next: undefined });
});
