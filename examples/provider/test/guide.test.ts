import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** Blocks that begin with the name of a file of this folder, cut where a line `…` leaves something out. */
const quotations = [...read('../../../docs/write-a-provider.md').matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/gu)].flatMap(
  ([, file = '', text = '']) => text.split('…\n').map((part) => ({ file, part })),
);

test('the guide quotes the example as it is', () => {
  expect(quotations.length).toBeGreaterThan(5);
  expect(quotations.filter(({ file, part }) => !read(`../${file}`).includes(part))).toEqual([]);
});
