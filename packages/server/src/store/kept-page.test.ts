import { expect, test } from 'vitest';
import { keptCounts, keptPage } from './kept-page.ts';

/** A list of three looks, each of which is true at a later cursor. */
const read = async (position: number) => ({
  items: [{ id: position, status: 'open' as const }],
  cursor: 10 + position,
  next: position === 2 ? null : position + 1,
});

test('what takes several looks has the cursor of the first: what changed meanwhile is told by the events after it', async () => {
  const page = await keptPage({ from: 0, limit: 9, read, positionOf: ({ id }) => id, keep: ({ id }) => id !== 0 });
  expect(page).toMatchObject({ cursor: 10, items: [{ id: 1 }] });
  const looks: number[] = [];
  const counted = await keptCounts({
    read: (position) => {
      looks.push(position);
      return read(looks.length - 1);
    },
    keep: () => true,
    none: { open: 0 },
  });
  expect(counted).toEqual({ counts: { open: 3 }, cursor: 10 });
});
