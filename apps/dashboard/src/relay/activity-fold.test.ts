import type { ActivityEntry, AgentEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { ActivityFold, BLOCK_LIMIT } from './activity-fold.ts';

const entry = (id: number, event: AgentEvent): ActivityEntry => ({ id, agentId: 'a', sessionId: 's', seq: id, at: id, late: false, event });
const prompt = (id: number) => entry(id, { type: 'user.message', text: `${id}` });
const foldOf = (entries: readonly ActivityEntry[]): ActivityFold => {
  const fold = new ActivityFold();
  fold.append(entries);
  return fold;
};

test('an entry that is stored already is not shown twice', () => {
  const fold = foldOf([prompt(1)]);
  const once = fold.list();
  fold.append([prompt(1)]);
  expect(fold.list()).toEqual(once);
  expect(fold.lastId).toBe(1);
});

test('a log that stays open keeps a bounded number of blocks, the newest, and reads on from where they begin', () => {
  const fold = foldOf([prompt(1)]);
  for (let id = 2; id <= 2 * BLOCK_LIMIT; id += 1) fold.append([prompt(id)]);
  expect(fold.list().length).toBeLessThanOrEqual(1.1 * BLOCK_LIMIT);
  expect(fold.list().at(-1)).toMatchObject({ text: `${2 * BLOCK_LIMIT}` });
  expect([fold.isCut, fold.list()[0]]).toMatchObject([true, { text: `${fold.firstId}` }]);
  const first = fold.firstId ?? 0;
  fold.prepend(Array.from({ length: first - 1 }, (_, index) => prompt(index + 1)));
  expect([fold.isCut, fold.list().length]).toEqual([false, 2 * BLOCK_LIMIT]);
});

const everyKind: readonly AgentEvent[] = [
  { type: 'user.message', text: 'go' },
  { type: 'reasoning.delta', turnId: 't', itemId: 'r', text: 'Let me ' },
  { type: 'reasoning.delta', turnId: 't', itemId: 'r', text: 'see' },
  { type: 'text.delta', turnId: 't', itemId: 'x', text: 'Hel' },
  { type: 'tool.started', turnId: 't', itemId: 'i', name: 'Bash', kind: 'execute', title: 'ls', input: { command: 'ls' } },
  { type: 'tool.started', turnId: 't', itemId: 'e', parentItemId: 'i', name: 'Edit', kind: 'edit', title: 'a' },
  { type: 'tool.updated', turnId: 't', itemId: 'i', output: 'a' },
  { type: 'plan.updated', turnId: 't', steps: [{ step: 'one', status: 'pending' }] },
  { type: 'text.completed', turnId: 't', itemId: 'x', text: 'Hello.' },
  { type: 'file.changed', turnId: 't', itemId: 'e', changes: [{ path: 'a', change: 'updated' }] },
  { type: 'tool.updated', turnId: 't', itemId: 'i', output: 'b' },
  { type: 'plan.updated', turnId: 't', steps: [{ step: 'one', status: 'done' }] },
  { type: 'tool.completed', turnId: 't', itemId: 'i', outcome: 'failed', exitCode: 2 },
  { type: 'turn.completed', turnId: 't', outcome: 'finished' },
];

test('read in pages from its end, wherever they part it, a log is what it is read at once', () => {
  const entries = everyKind.map((event, index) => entry(index + 1, event));
  const whole = foldOf(entries).list();
  expect(whole).toHaveLength(7);
  for (let first = 0; first <= entries.length; first += 1)
    for (let second = first; second <= entries.length; second += 1) {
      const fold = foldOf(entries.slice(second));
      fold.prepend(entries.slice(first, second));
      fold.prepend(entries.slice(0, first));
      expect([first, second, fold.list()]).toEqual([first, second, whole]);
    }
});

test('an entry is found where it is told, or what came after it, and not before it was read', () => {
  const told = [prompt(11), entry(12, { type: 'turn.started', turnId: 't' }), prompt(13)];
  const fold = foldOf(told);
  expect([11, 12, 13].map((id) => fold.keyAt(id))).toEqual(['s:11:11', 's:13:13', 's:13:13']);
  expect([fold.keyAt(5), fold.keyAt(14)]).toEqual([undefined, undefined]);
  fold.prepend([prompt(4), prompt(6)]);
  expect(fold.keyAt(5)).toBe('s:6:6');
});
