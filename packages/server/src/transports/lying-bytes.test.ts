import { expect, test } from 'vitest';
import { toEnd } from './lying-bytes.ts';

const NOW = 100_000;
const held = (name: string, caller: string, bytes: number, silentMs: number) => ({ name, caller, bytes, sinceMs: NOW - silentMs });
const named = (all: readonly ReturnType<typeof held>[], maxBytes: number, excessMs: number) =>
  [...toEnd(all, { maxBytes, nowMs: NOW, excessSinceMs: NOW - excessMs })].map(({ name }) => name);

test('of the caller that holds most those end that have stood still for longest, and no more than it takes', () => {
  const all = [
    held('slow', 'owner', 300, 22_000),
    held('first', 'anonymous', 256, 21_000),
    held('third', 'anonymous', 256, 20_000),
    held('second', 'anonymous', 256, 20_500),
  ];
  expect(named(all, 900, 20_000)).toEqual(['first']);
  expect(named(all, 300, 20_000)).toEqual(['first', 'second', 'slow']);
  expect(named(all, 1_068, 20_000)).toEqual([]);
});

test('a reader that goes on every few seconds stays while those are there that do not', () => {
  const idle = Array.from({ length: 5 }, (_, index) => held(`idle ${index}`, 'owner', 200, 20_000 + index));
  const all = [held('reading', 'owner', 256, 15_000), ...idle];
  expect(named(all, 1_000, 21_000)).toEqual(['idle 4', 'idle 3']);
  expect(named(all, 1_000, 19_000)).toEqual([]);
});

test('where nobody stands still for long enough, they end by what they hold once that has lasted', () => {
  const all = [
    held('reading', 'owner', 300, 500),
    held('early', 'anonymous', 200, 900),
    held('late', 'anonymous', 200, 900),
    held('large', 'anonymous', 250, 0),
  ];
  expect(named(all, 600, 19_000)).toEqual([]);
  expect(named(all, 600, 20_000)).toEqual(['large', 'late']);
});

test('above twice the bound nobody is waited for longer than a second', () => {
  const all = [held('still', 'anonymous', 700, 1_000), held('dripping', 'anonymous', 800, 200), held('reading', 'owner', 100, 0)];
  expect(named(all, 700, 900)).toEqual([]);
  expect(named(all, 700, 1_000)).toEqual(['still', 'dripping']);
});
