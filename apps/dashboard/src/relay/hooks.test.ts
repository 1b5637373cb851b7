import type { RelayEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { type HookList, hooksView, lastRunOf, runsOf } from './hooks.ts';

const run = { hook: 'tell', trigger: 'stalled', action: 'relay', outcome: 'succeeded' as const, durationMs: 3, at: 5, agentId: 'A' };
const event: RelayEvent = { type: 'hook.completed', seq: 9, eventSeq: 8, ...run };
const hooks: HookList = {
  hooks: [],
  sources: [
    { nodeId: null, name: 'relay', file: null, fault: null, recent: [] },
    { nodeId: 'n', name: 'workshop', file: '/etc/hooks.yaml', fault: null, recent: [{ ...run, at: 4, hook: 'lint' }] },
  ],
};

test('a run of the relay’s own is known once, however often it is told', () => {
  const once = hooksView.apply(hooks, event) as HookList;
  expect(once.sources.map(({ recent }) => recent)).toEqual([[run], hooks.sources[1]?.recent]);
  expect(hooksView.apply(once, event)).toEqual(once);
  expect(lastRunOf({ recent: [run, { ...run, at: 6 }] }, 'tell')).toEqual({ ...run, at: 6 });
  expect(lastRunOf({ recent: [run] }, 'another')).toBeUndefined();
});

test('runs are told newest first, with where they happened', () => {
  const told = runsOf(hooksView.apply(hooks, event) as HookList);
  expect(told.map(({ hook, place }) => [hook, place])).toEqual([
    ['tell', 'relay'],
    ['lint', 'workshop'],
  ]);
});
