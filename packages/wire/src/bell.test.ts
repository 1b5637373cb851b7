import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { Bell } from './bell.ts';

const told = (waits: Record<string, Promise<void>>): string[] => {
  const woken: string[] = [];
  for (const [name, wait] of Object.entries(waits)) void wait.then(() => woken.push(name));
  return woken;
};
const turn = () => Promise.resolve();

it('wakes all who wait, and nobody who comes later', async () => {
  const bell = new Bell();
  bell.ring();
  const woken = told({ one: bell.next(), other: bell.next() });
  await turn();
  expect(woken).toEqual([]);
  bell.ring();
  const late = told({ late: bell.next() });
  await turn();
  expect([woken, late]).toEqual([['one', 'other'], []]);
});

it('lets nobody sleep through a ring that came while they were looking', async () => {
  const bell = new Bell();
  const seen = bell.rings;
  bell.ring();
  bell.ring();
  await bell.after(seen);
  const woken = told({ again: bell.after(bell.rings) });
  await turn();
  expect(woken).toEqual([]);
  bell.ring();
  await turn();
  expect(woken).toEqual(['again']);
});

it('ends a wait with its signal, before and after it began, and lets go of the signal at a ring', async () => {
  const bell = new Bell();
  await bell.next({ signal: AbortSignal.abort() });
  const controller = new AbortController();
  const ended = bell.next(controller);
  controller.abort();
  await ended;
  const kept = new AbortController();
  const rung = bell.after(bell.rings, kept);
  expect(getEventListeners(kept.signal, 'abort')).toHaveLength(1);
  bell.ring();
  await rung;
  expect(getEventListeners(kept.signal, 'abort')).toEqual([]);
});
