import { expect, test } from 'vitest';
import { hasPresence, isPrunable, isStale } from './presence.ts';

const worker = { id: 'Worker', kind: 'provider', lastSeenAt: 1_000 } as const;

test('an agent is stale once it was silent for longer than the time to live, and only once', () => {
  expect([1_500, 1_501].map((now) => isStale({ ...worker, status: 'busy' }, now, 500))).toEqual([false, true]);
  expect(isStale({ ...worker, status: 'offline' }, 9_000, 500)).toBe(false);
});

test('an agent is removed once it was offline for longer than it is kept, and never while it is there', () => {
  expect([1_500, 1_501].map((now) => isPrunable({ ...worker, status: 'offline' }, now, 500))).toEqual([false, true]);
  expect(isPrunable({ ...worker, status: 'idle' }, 9_000, 500)).toBe(false);
});

test.each([
  ['owner', 'user'],
  ['relay', 'provider'],
  ['clock', 'system'],
] as const)('%s (%s) is never stale and never removed', (id, kind) => {
  const system = { id, kind, lastSeenAt: 0 };
  expect(isStale({ ...system, status: 'online' }, 1_000_000, 1)).toBe(false);
  expect(isPrunable({ ...system, status: 'offline' }, 1_000_000, 1)).toBe(false);
});

test('online is whoever is there, idle and busy ones too; the others mean just themselves', () => {
  const all = ['online', 'idle', 'busy', 'offline'] as const;
  expect(Object.fromEntries(all.map((asked) => [asked, all.filter((actual) => hasPresence(actual, asked))]))).toEqual({
    online: ['online', 'idle', 'busy'],
    idle: ['idle'],
    busy: ['busy'],
    offline: ['offline'],
  });
});
