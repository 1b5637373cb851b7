import type { ActivityEntry, AgentEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { type ActivityBlock, addEntries, BLOCK_LIMIT } from './activity-blocks.ts';

const entry = (event: AgentEvent, seq = 1, id = seq): ActivityEntry => ({
  id,
  agentId: 'Worker',
  sessionId: 's',
  seq,
  at: 5,
  late: false,
  event,
});
const fold = (...events: readonly AgentEvent[]): readonly ActivityBlock[] =>
  events.reduce<readonly ActivityBlock[]>((blocks, event, index) => addEntries(blocks, [entry(event, index + 1)]), []);

test('deltas grow one text and the completed text replaces them', () => {
  const item = { turnId: 't', itemId: 'i' };
  expect(fold({ type: 'text.delta', ...item, text: 'Hel' }, { type: 'text.delta', ...item, text: 'lo' })).toEqual([
    { key: 's:item:i', at: 5, turnId: 't', kind: 'text', text: 'Hello', isStreaming: true },
  ]);
  expect(fold({ type: 'text.delta', ...item, text: 'Hel' }, { type: 'text.completed', ...item, text: 'Hello.' })).toEqual([
    { key: 's:item:i', at: 5, turnId: 't', kind: 'text', text: 'Hello.', isStreaming: false },
  ]);
});

test('a delta that comes after its completed text changes nothing', () => {
  const item = { turnId: 't', itemId: 'i' };
  const completed = fold({ type: 'text.completed', ...item, text: 'Hello.' });
  expect(addEntries(completed, [entry({ type: 'text.delta', ...item, text: 'Hel' }, 2, 0)])).toEqual(completed);
});

test('a tool runs until it is completed and keeps its output', () => {
  const item = { turnId: 't', itemId: 'i' };
  const started: AgentEvent = { type: 'tool.started', ...item, name: 'Bash', kind: 'execute', title: 'ls' };
  expect(fold(started)).toMatchObject([{ kind: 'tool', outcome: 'running', output: '' }]);
  expect(fold(started, { type: 'tool.updated', ...item, output: 'a\n' }, { type: 'tool.updated', ...item, output: 'b\n' })).toMatchObject([
    { output: 'a\nb\n', outcome: 'running' },
  ]);
  expect(fold(started, { type: 'tool.completed', ...item, outcome: 'failed', output: 'no' })).toMatchObject([
    { output: 'no', outcome: 'failed' },
  ]);
});

test('an entry that is stored already is not shown twice', () => {
  const prompt = entry({ type: 'user.message', text: 'go' });
  const once = addEntries([], [prompt]);
  expect(addEntries(once, [prompt])).toEqual(once);
});

test('a page that stays open keeps a bounded number of blocks, the newest', () => {
  let blocks: readonly ActivityBlock[] = [];
  for (let seq = 1; seq <= BLOCK_LIMIT + 1000; seq += 1)
    blocks = addEntries(blocks, [entry({ type: 'user.message', text: `${seq}` }, seq)]);
  expect(blocks.length).toBe(BLOCK_LIMIT);
  expect(blocks.at(-1)).toMatchObject({ text: `${BLOCK_LIMIT + 1000}` });
});

test('a page of earlier entries is put before what was shown: a tool that began there and ended here is one', () => {
  const item = { turnId: 't', itemId: 'i' };
  const started = entry({ type: 'tool.started', ...item, name: 'Bash', kind: 'execute', title: 'ls', input: { command: 'ls' } }, 1);
  const completed = entry({ type: 'tool.completed', ...item, outcome: 'failed', output: 'no', exitCode: 2 }, 2);
  expect(addEntries([], [completed])).toEqual([]);
  expect(addEntries([], [started, completed])).toMatchObject([{ outcome: 'failed', exitCode: 2, input: { command: 'ls' } }]);
});
