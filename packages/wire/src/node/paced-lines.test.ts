import { expect, test } from 'vitest';
import { PacedLines } from './paced-lines.ts';

function reading(budgetMs?: number) {
  const lines: string[] = [];
  const told: string[] = [];
  const paced = new PacedLines({
    onLine: ({ text }) => void (text !== '' && lines.push(text)),
    onBusy: () => told.push('busy'),
    onIdle: () => told.push('idle'),
    ...(budgetMs === undefined ? {} : { budgetMs }),
  });
  return { paced, lines, told };
}

test('what is read within its time is read at once, over pieces and turns alike', () => {
  const { paced, lines, told } = reading(60_000);
  for (const piece of ['on', `e\n${'\n'.repeat(100_000)}tw`, 'o\n']) paced.push(piece);
  expect(lines).toEqual(['one', 'two']);
  expect(told).toEqual([]);
});

test('many megabytes of line breaks leave the event loop its turns, and the end comes after the last line', async () => {
  const { paced, lines, told } = reading();
  let turns = 0;
  const turn = () => {
    turns += 1;
    if (paced.isBusy) setImmediate(turn);
  };
  paced.push(`first\n${'\n'.repeat(4 << 20)}`);
  paced.push('last\n');
  expect(paced.isBusy).toBe(true);
  expect(lines).toEqual(['first']);
  setImmediate(turn);
  await new Promise<void>((resolve) => paced.end(resolve));
  expect(lines).toEqual(['first', 'last']);
  expect(told).toEqual(['busy', 'idle']);
  expect(turns).toBeGreaterThan(5);
});
