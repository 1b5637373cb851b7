import { QueryClient, type QueryKey } from '@tanstack/react-query';
import type { Agent, Approval, Channel, ChannelBinding, RelayEvent } from 'agent-relay-client';
import type { Hold, OpenHold, Pair, Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { applyEvent } from './apply-event.ts';
import { mergeTasks, reducePairs, reduceTasks } from './collections.ts';
import { EventTail } from './event-tail.ts';
import { keys } from './keys.ts';

const task = (id: number, more: Partial<Task> = {}): Task => ({
  id,
  source: 'ops',
  type: null,
  severity: 'critical',
  title: `task ${id}`,
  body: '',
  target: 'tag:ops',
  channel: null,
  dedupeKey: null,
  externalUrl: null,
  metadata: null,
  status: 'open',
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 1,
  lastSeenAt: 1,
  createdAt: 1,
  updatedAt: 1,
  endedAt: null,
  ...more,
});
const told = (seq: number, event: Task, type: 'task.created' | 'task.claimed' | 'task.completed' = 'task.created'): RelayEvent => ({
  type,
  seq,
  at: seq,
  task: event,
});
const pair = (id: number, status: 'pending' | 'active' = 'pending'): Pair => {
  const sides = { id, requester: 'Lead', target: 'Worker', objective: 'why', requestedAt: 1 };
  return status === 'pending' ? { ...sides, status } : { ...sides, status, acceptedAt: 2 };
};

const held = (id: number): OpenHold => ({
  id,
  status: 'held',
  rule: 'hops',
  reason: 'too many',
  attempts: 1,
  heldAt: 1,
  message: {
    from: 'Ada',
    to: 'id:Bob',
    kind: 'message',
    subject: null,
    body: 'again',
    channel: null,
    replyTo: 1,
    threadId: 1,
    mode: 'next',
    claimable: false,
    payload: null,
    meta: {},
    sender: { relation: 'peer', principal: 'agent:Ada' },
    hops: 101,
    ttlMs: null,
  },
});

/** A page that has asked for these lists, and what it is told to ask for again. */
function page(lists: readonly (readonly [QueryKey, readonly object[]])[]) {
  const queries = new QueryClient();
  for (const [key, list] of lists) queries.setQueryData(key, list);
  const wanted: QueryKey[] = [];
  const apply = (event: RelayEvent) => applyEvent({ queries, refresh: (key) => wanted.push(key) }, event);
  return { apply, wanted, at: (key: QueryKey) => queries.getQueryData(key) };
}

test('a report appears at the top, and what becomes of the task takes its place', () => {
  const { apply, at, wanted } = page([[keys.tasks, [task(1)]]]);
  apply(told(5, task(5)));
  const held = task(5, { status: 'claimed', claimedBy: 'Worker' });
  apply(told(6, held, 'task.claimed'));
  apply(told(6, held, 'task.claimed'));
  expect(at(keys.tasks)).toEqual([held, task(1)]);
  expect(wanted.slice(0, 2)).toEqual([keys.taskHistory(5), keys.callbacks]);
});

test('a list nobody has asked for is not begun by an event', () => {
  const { apply, at } = page([]);
  apply(told(5, task(5)));
  expect(at(keys.tasks)).toBe(undefined);
});

test('a callback that moved has its lists asked for again: the log does not carry what the other side answered', () => {
  const { apply, wanted } = page([]);
  apply({ type: 'callback.updated', seq: 9, at: 9, callbackId: 1, taskId: 5, integration: 'ops', status: 'dead' });
  expect(wanted).toEqual([keys.callbacks]);
});

test('a pair that is accepted stays in its place; a message joins the thread it belongs to and no other', () => {
  const { apply, at } = page([
    [keys.pairs, [pair(7), pair(3)]],
    [keys.thread(7), []],
    [keys.thread(3), []],
  ]);
  apply({ type: 'pair.accepted', seq: 8, at: 8, pair: pair(7, 'active') });
  expect(at(keys.pairs)).toEqual([pair(7, 'active'), pair(3)]);
  const message = {
    id: 9,
    from: 'Lead',
    to: 'id:Worker',
    body: 'hello',
    subject: null,
    channel: null,
    kind: 'chat',
    claimable: false,
    replyTo: 7,
    threadId: 7,
    mode: 'next',
    expiresAt: null,
    payload: null,
    meta: { pairId: 7 },
    sender: { relation: 'peer', principal: 'agent:Lead' },
    hops: 0,
    createdAt: 9,
    deletedAt: null,
  } as const;
  apply({ type: 'message.new', seq: 9, at: 9, message, matched: 1 });
  apply({ type: 'message.new', seq: 9, at: 9, message, matched: 1 });
  expect(at(keys.thread(7))).toEqual([{ ...message, readBy: [], claim: null }]);
  expect(at(keys.thread(3))).toEqual([]);
  apply({ type: 'message.deleted', seq: 10, at: 10, messageId: 9 });
  expect(at(keys.thread(7))).toMatchObject([{ body: '', deletedAt: 10 }]);
});

test('of what has ended a bounded number is kept, the newest; what is active is all kept', () => {
  const ended = Array.from({ length: 2_500 }, (_, index) => task(index + 2, { status: 'done' }));
  const kept = mergeTasks([task(1)], ended);
  expect(kept).toHaveLength(2_001);
  expect([kept[0]?.id, kept.at(-1)?.id]).toEqual([2_501, 1]);
});

test('a snapshot that arrives late is brought up to what the log has told since it was true', () => {
  const tail = new EventTail();
  for (let seq = 1; seq <= 9_000; seq += 1) tail.push(told(seq, task(seq)));
  tail.push(told(9_001, task(8_000, { status: 'done' }), 'task.completed'));
  const snapshot = [task(8_999), task(8_000)];
  const current = tail.after(8_999).reduce(reduceTasks, snapshot);
  expect(current.map(({ id, status }) => `${id} ${status}`)).toEqual(['9000 open', '8999 open', '8000 done']);
  tail.clear();
  expect(tail.after(0)).toEqual([]);
});

test('an event about something else leaves a list as the same object', () => {
  const pairs = [pair(7)];
  expect(reducePairs(pairs, told(5, task(5)))).toBe(pairs);
});

test('a held message waits at the top until somebody decides, and then says who it was', () => {
  const { apply, at } = page([[keys.holds, [held(3)]]]);
  const refused: Hold = { ...held(3), status: 'refused', decidedAt: 9, decidedBy: 'token:phone', because: null };
  apply({ type: 'message.held', seq: 8, at: 8, hold: held(8) });
  apply({ type: 'message.refused', seq: 9, at: 9, hold: refused });
  apply({ type: 'message.refused', seq: 9, at: 9, hold: refused });
  expect(at(keys.holds)).toEqual([held(8), refused]);
});

test('a question waits until it is answered, whoever answers it, and stays as history', () => {
  const asked = (approvalId: string, requestedAt: number): Approval => ({
    approvalId,
    requestedAt,
    agentId: 'Worker',
    sessionId: 's',
    kind: 'execute',
    title: 'Bash: npm test',
    status: 'pending',
    resolvedAt: null,
    by: null,
    message: null,
  });
  const { apply, at } = page([[keys.approvals, [asked('a', 1)]]]);
  const denied: Approval = { ...asked('a', 1), status: 'denied', resolvedAt: 9, by: 'timeout', message: 'nobody' };
  apply({ type: 'approval.requested', seq: 8, at: 8, approval: asked('b', 8) });
  apply({ type: 'approval.resolved', seq: 9, at: 9, approval: denied });
  apply({ type: 'approval.resolved', seq: 9, at: 9, approval: denied });
  expect(at(keys.approvals)).toEqual([asked('b', 8), denied]);
});

test('a channel is its agent and its bindings, whichever of them changes', () => {
  const agent = (more: Partial<Agent>): Agent => ({
    id: 'phone',
    name: 'phone',
    kind: 'channel',
    label: null,
    tags: [],
    capabilities: [],
    channels: null,
    machine: null,
    rig: null,
    provider: null,
    transport: 'sms',
    direction: 'both',
    status: 'online',
    ready: true,
    approval: 'open',
    instanceId: 'i',
    epoch: 1,
    protected: false,
    nodeId: null,
    sessionId: null,
    meta: {},
    registeredAt: 1,
    lastSeenAt: 1,
    ...more,
  });
  const binding: ChannelBinding = {
    bindingId: 'b',
    channelId: 'phone',
    conversationId: '+41',
    target: 'id:Worker',
    mode: 'exclusive',
    createdAt: 2,
    createdBy: 'owner',
  };
  const { apply, at } = page([[keys.channels, []]]);
  const at2 = { seq: 2, at: 2 };
  apply({ type: 'agent.registered', ...at2, agent: agent({ id: 'Worker', kind: 'provider' }) });
  apply({ type: 'agent.registered', ...at2, agent: agent({}) });
  apply({ type: 'channel.bound', ...at2, binding });
  apply({ type: 'channel.bound', ...at2, binding });
  apply({ type: 'agent.status', ...at2, agent: agent({ status: 'offline', lastSeenAt: 9 }) });
  const channel: Channel = {
    id: 'phone',
    name: 'phone',
    label: null,
    transport: 'sms',
    direction: 'both',
    status: 'offline',
    ready: true,
    lastSeenAt: 9,
    bindings: [binding],
  };
  expect(at(keys.channels)).toEqual([channel]);
  apply({ type: 'channel.unbound', ...at2, binding });
  expect(at(keys.channels)).toEqual([{ ...channel, bindings: [] }]);
  apply({ type: 'agent.updated', ...at2, agent: agent({ kind: 'provider' }) });
  expect(at(keys.channels)).toEqual([]);
});
