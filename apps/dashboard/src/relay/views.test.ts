import type { Agent, Approval, Channel, ChannelBinding, MessageDetail, Node, RelayClient, RelayEvent, Session } from 'agent-relay-client';
import type { ApprovalRule, Hold, OpenHold, Pair, Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { READ_AGAIN, type View } from '../live/view.ts';
import { agentsView, presenceIn } from './agents.ts';
import { approvalsView } from './approvals.ts';
import { callbacksView } from './callbacks.ts';
import { channelsView } from './channels.ts';
import { holdsView } from './holds.ts';
import { agentMessagesView, deliveriesView, messagesView, threadView } from './messages.ts';
import { callbackCount, deadLetterCount, openHolds, openPairCount, pendingApprovals, stalledAgents } from './open-counts.ts';
import { pairsView } from './pairs.ts';
import { isActiveRule, rulesView } from './rules.ts';
import { lastSessionView, nodesView, startAgain } from './sessions.ts';
import { taskCountsView, taskHistoryView, tasksView, taskView } from './tasks.ts';

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
const session = (epoch: number, more: Partial<Session>): Session => ({
  sessionId: `s${epoch}`,
  agentId: 'Worker',
  nodeId: 'laptop',
  provider: 'claude',
  instanceId: `i${epoch}`,
  epoch,
  status: 'starting',
  mode: 'safe',
  ask: true,
  cwd: '/srv/app',
  model: 'big',
  spawnedBy: null,
  startedAt: epoch,
  endedAt: null,
  reason: null,
  vendorSessionId: null,
  sandbox: 'none',
  sandboxReason: null,
  ...more,
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

/** What a view is after these events, each of which is told twice: that leaves what telling it once made. */
function after<Data>(view: View<Data>, data: Data, ...events: readonly RelayEvent[]): Data {
  return events
    .flatMap((event) => [event, event])
    .reduce((current, event) => {
      const next = view.apply(current, event);
      if (next === READ_AGAIN) throw new Error(`${event.type} has it read again`);
      return next;
    }, data);
}

test('a report appears at the top, and what becomes of the task takes its place', () => {
  const claimed = task(5, { status: 'claimed', claimedBy: 'Worker' });
  expect(after(tasksView({}), [task(1)], told(5, task(5)), told(6, claimed, 'task.claimed'))).toEqual([claimed, task(1)]);
  expect(after(taskView(5), task(5), told(6, claimed, 'task.claimed'))).toEqual(claimed);
  expect(after(taskView(1), task(1), told(6, claimed, 'task.claimed'))).toEqual(task(1));
});

test('what the log does not carry is read again: who did it, and what the other side answered', () => {
  expect(taskHistoryView(5).apply([], told(6, task(5)))).toBe(READ_AGAIN);
  expect(taskHistoryView(4).apply([], told(6, task(5)))).toEqual([]);
  expect(taskCountsView({}).apply({ open: 1 }, told(6, task(5)))).toBe(READ_AGAIN);
  const moved = { type: 'callback.updated', seq: 9, at: 9, callbackId: 1, taskId: 5, integration: 'ops', status: 'dead' } as const;
  expect(callbacksView('dead').apply([], moved)).toBe(READ_AGAIN);
});

test('a pair that is accepted stays in its place', () => {
  const accepted = { type: 'pair.accepted', seq: 8, at: 8, pair: pair(7, 'active') } as const;
  expect(after(pairsView, [pair(7), pair(3)], accepted)).toEqual([pair(7, 'active'), pair(3)]);
});

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

test('an open pair is among them, however many have ended since', async () => {
  const kept = [
    ...Array.from({ length: 600 }, (_, index) => ({ ...pair(index + 10), status: 'ended' as const })),
    pair(7, 'active'),
    pair(3),
  ];
  const list = async ({ status, before = Number.MAX_SAFE_INTEGER, limit = 0 }: { status?: string; before?: number; limit?: number }) => {
    const fits = kept
      .filter((each) => (status === undefined || each.status === status) && each.id < before)
      .sort((one, other) => other.id - one.id);
    const data = fits.slice(0, limit);
    return { data, cursor: 1, nextCursor: fits.length > limit ? data.at(-1)?.id : undefined };
  };
  const relay = { pairs: { list } } as unknown as RelayClient; // no more is asked of it
  const { data } = await pairsView.read(relay);
  expect([data.length, data.slice(-2)]).toEqual([502, [pair(7, 'active'), pair(3)]]);
});

test('who has stalled is known from the log, until it goes on', () => {
  const agent = { id: 'Worker', name: 'Worker', status: 'idle' } as Agent; // no more of it matters
  const stalled = {
    type: 'agent.stalled',
    seq: 5,
    at: 5,
    agentId: 'Worker',
    waiting: 2,
    oldestAt: 1,
    cause: 'mail',
    detail: 'why',
  } as const;
  const recovered = { type: 'agent.recovered', seq: 6, at: 6, agentId: 'Worker' } as const;
  const shown = { ...agent, stalled: { cause: 'mail', since: 1, detail: 'why' } } as const;
  expect(after(agentsView, [agent], stalled)).toEqual([shown]);
  expect(after(agentsView, [agent], stalled, recovered)).toEqual([agent]);
  expect(presenceIn([])(shown)).toBe('stalled');
  expect(after(stalledAgents, [], stalled)).toEqual(['Worker']);
  expect(after(stalledAgents, ['Lead', 'Worker'], recovered)).toEqual(['Lead']);
  expect(after(stalledAgents, ['Worker'], { type: 'agent.removed', seq: 6, at: 6, agentId: 'Worker' })).toEqual([]);
  expect(after(stalledAgents, ['Worker'], { type: 'agent.status', seq: 6, at: 6, agent })).toEqual([]);
});

test('what did not arrive is counted again when mail failed, arrived late, or was looked at', () => {
  const receipt = { seq: 9, at: 9, messageId: 9, agentId: 'Worker', from: 'owner', evidence: null, late: false, reason: null } as const;
  const events: readonly RelayEvent[] = [
    { type: 'delivery.failed', ...receipt, state: 'failed' },
    { type: 'delivery.expired', ...receipt, state: 'expired', count: 1 },
    { type: 'delivery.delivered', ...receipt, state: 'delivered', late: true },
    { type: 'message.dismissed', seq: 9, at: 9, messageId: 9, by: 'owner' },
    { type: 'message.deleted', seq: 9, at: 9, messageId: 9 },
  ];
  expect(events.map((event) => deadLetterCount.apply(1, event))).toEqual(events.map(() => READ_AGAIN));
  expect(deadLetterCount.apply(1, { type: 'delivery.delivered', ...receipt, state: 'delivered' })).toBe(1);
  expect(messagesView({ deadLetter: true }).apply([], { type: 'message.dismissed', seq: 9, at: 9, messageId: 9, by: 'owner' })).toBe(
    READ_AGAIN,
  );
  expect(messagesView({}).apply([], { type: 'message.dismissed', seq: 9, at: 9, messageId: 9, by: 'owner' })).toEqual([]);
});

test('a message joins the thread it belongs to and no other, and what happens to it is told of it', () => {
  const shown: MessageDetail = { ...message, readBy: [], claim: null };
  const said = { type: 'message.new', seq: 9, at: 9, message, matched: 1 } as const;
  expect(after(threadView(7), [], said)).toEqual([shown]);
  expect(after(threadView(3), [], said)).toEqual([]);
  expect(after(messagesView({}), [], said)).toEqual([shown]);
  expect(after(threadView(7), [shown], { type: 'message.deleted', seq: 10, at: 10, messageId: 9 })).toMatchObject([
    { body: '', deletedAt: 10 },
  ]);
  expect(after(threadView(7), [shown], { type: 'message.read', seq: 10, at: 10, messageId: 9, agentId: 'Worker' })).toMatchObject([
    { readBy: ['Worker'] },
  ]);
});

test('an agent’s page has what it sent and what was sent to it; who belonged to a group the relay is asked', () => {
  const view = agentMessagesView('Worker');
  const said = (from: string, to: string): RelayEvent => ({
    type: 'message.new',
    seq: 9,
    at: 9,
    matched: 1,
    message: { ...message, from, to },
  });
  expect(after(view, [], said('Lead', 'id:Worker'))).toMatchObject([{ id: 9 }]);
  expect(after(view, [], said('Worker', 'tag:ops'))).toMatchObject([{ id: 9 }]);
  expect(after(view, [], said('Lead', 'id:Tester'))).toEqual([]);
  expect(view.apply([], said('Lead', 'tag:ops'))).toBe(READ_AGAIN);
  expect(view.apply([], said('Lead', 'broadcast'))).toBe(READ_AGAIN);
});

test('of an agent’s sessions the latest is shown, and what starts it again keeps where and how it ran', () => {
  const started = session(2, { status: 'running' });
  const failed = session(2, { status: 'failed', reason: 'There is no such folder' });
  const told = (of: Session): RelayEvent => ({ type: 'session.updated', seq: 9, at: 9, session: of });
  expect(after(lastSessionView('Worker'), null, told(started), told(failed))).toEqual(failed);
  expect(after(lastSessionView('Worker'), failed, told(session(1, { status: 'ended' })))).toEqual(failed);
  expect(after(lastSessionView('Tester'), null, told(started))).toBe(null);
  expect(startAgain(failed, { approval: 'guarded' }, { resume: false })).toEqual({
    name: 'Worker',
    provider: 'claude',
    mode: 'safe',
    ask: true,
    approval: 'guarded',
    node: 'laptop',
    cwd: '/srv/app',
    model: 'big',
  });
  const { cwd: _cwd, ...withoutFolder } = startAgain(failed, { approval: 'open' }, { resume: false });
  expect(startAgain({ ...failed, cwd: null }, { approval: 'open' }, { resume: false })).toEqual(withoutFolder);
  expect(startAgain({ ...failed, cwd: null }, { approval: 'open' }, { resume: true })).toEqual({ ...withoutFolder, resume: true });
});

test('an agent that waits for an answer is waiting, whatever it says of itself, until somebody answers', () => {
  const agents = [
    { id: 'Worker', status: 'busy' },
    { id: 'Tester', status: 'idle' },
  ] as const;
  const asked = { approvalId: 'a', agentId: 'Worker', sessionId: 's', kind: 'execute', title: 'ls', requestedAt: 1 } as const;
  const answered = { ...asked, status: 'allowed', by: 'owner', message: null, resolvedAt: 2 } as const;
  expect(agents.map(presenceIn([{ ...asked, status: 'pending', resolvedAt: null, by: null, message: null }]))).toEqual(['waiting', 'idle']);
  expect(agents.map(presenceIn([answered]))).toEqual(['busy', 'idle']);
});

test('a receipt takes the place of the one before, for its message alone', () => {
  const seen = { seq: 9, at: 9, messageId: 4, agentId: 'Bob', state: 'seen', evidence: 'turn', late: false, reason: null } as const;
  const told = { type: 'delivery.seen', from: 'Lead', ...seen } as const;
  const { seq: _seq, at, ...receipt } = seen;
  const queued = { ...receipt, state: 'queued', evidence: null, updatedAt: 1 } as const;
  expect(after(deliveriesView(4), [{ ...queued, agentId: 'Ada' }, queued], told)).toEqual([
    { ...queued, agentId: 'Ada' },
    { ...receipt, updatedAt: at },
  ]);
  expect(after(deliveriesView(5), [], told)).toEqual([]);
});

test('what comes pushes out the oldest beyond a bound; what a person read further back is kept', () => {
  const read = Array.from({ length: 2_500 }, (_, index) => task(2_500 - index));
  const first = read.slice(0, 2_000);
  const afterOne = after(tasksView({}), first, told(2_501, task(2_501)));
  expect([afterOne.length, afterOne[0]?.id, afterOne.at(-1)?.id]).toEqual([2_000, 2_501, 502]);
  const merged = tasksView({}).older?.merge(first, read.slice(2_000)) ?? [];
  expect([merged.length, after(tasksView({}), merged, told(2_501, task(2_501))).length]).toEqual([2_500, 2_500]);
});

test('a task that no longer fits leaves its list, and one that does comes into it', () => {
  const blocked = task(5, { status: 'blocked' });
  expect(after(tasksView({ status: 'blocked' }), [task(1, { status: 'blocked' })], told(6, blocked, 'task.claimed'))).toEqual([
    blocked,
    task(1, { status: 'blocked' }),
  ]);
  expect(after(tasksView({}), [task(5)], told(7, task(5, { status: 'done' }), 'task.completed'))).toEqual([]);
  expect(after(tasksView({ find: 'TASK 5' }), [], told(7, task(5)), told(8, task(6)))).toEqual([task(5)]);
});

test('an event about something else leaves a list as the same object', () => {
  const pairs = [pair(7)];
  expect(pairsView.apply(pairs, told(5, task(5)))).toBe(pairs);
});

test('a held message waits at the top until somebody decides, and then says who it was', () => {
  const refused: Hold = { ...held(3), status: 'refused', decidedAt: 9, decidedBy: 'token:phone', because: null };
  const events = [
    { type: 'message.held', seq: 8, at: 8, hold: held(8) },
    { type: 'message.refused', seq: 9, at: 9, hold: refused },
  ] as const;
  expect(after(holdsView, [held(3)], ...events)).toEqual([held(8), refused]);
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
  const denied: Approval = { ...asked('a', 1), status: 'denied', resolvedAt: 9, by: 'timeout', message: 'nobody' };
  const events = [
    { type: 'approval.requested', seq: 8, at: 8, approval: asked('b', 8) },
    { type: 'approval.resolved', seq: 9, at: 9, approval: denied },
  ] as const;
  expect(after(approvalsView, [asked('a', 1)], ...events)).toEqual([asked('b', 8), denied]);
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
  const at2 = { seq: 2, at: 2 };
  const events = [
    { type: 'agent.registered', ...at2, agent: agent({ id: 'Worker', kind: 'provider' }) },
    { type: 'agent.registered', ...at2, agent: agent({}) },
    { type: 'channel.bound', ...at2, binding },
    { type: 'agent.status', ...at2, agent: agent({ status: 'offline', lastSeenAt: 9 }) },
  ] as const;
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
  expect(after(channelsView, [], ...events)).toEqual([channel]);
  expect(after(channelsView, [channel], { type: 'channel.unbound', ...at2, binding })).toEqual([{ ...channel, bindings: [] }]);
  expect(after(channelsView, [channel], { type: 'agent.updated', ...at2, agent: agent({ kind: 'provider' }) })).toEqual([]);
});

test('a machine that is removed is none any more, and one that is paired is', () => {
  const node: Node = { nodeId: 'machine-1', name: 'far', status: 'offline', version: '1', providers: [], connectedAt: null, lastSeenAt: 1 };
  const events: readonly RelayEvent[] = [
    { type: 'node.paired', seq: 1, at: 1, node, by: 'owner' },
    { type: 'node.renamed', seq: 2, at: 2, node: { ...node, name: 'attic' }, by: 'owner' },
    { type: 'node.removed', seq: 3, at: 3, node: { ...node, name: 'attic' }, by: 'owner' },
  ];
  const after = (count: number) =>
    events
      .slice(0, count)
      .reduce<readonly Node[] | typeof READ_AGAIN>((nodes, event) => (nodes === READ_AGAIN ? nodes : nodesView.apply(nodes, event)), []);
  expect([1, 2, 3].map(after)).toEqual([[node], [{ ...node, name: 'attic' }], []]);
});

test('a rule is where it was while it is used, and among those that are over once it has ended', () => {
  const rule = (id: number, more: Partial<ApprovalRule> = {}): ApprovalRule => ({
    id,
    name: 'npm test in /srv',
    agentId: 'Worker',
    tag: null,
    kind: 'execute',
    command: ['npm', 'test'],
    folder: '/srv',
    expiresAt: null,
    maxUses: null,
    uses: 0,
    createdAt: 1,
    createdBy: 'owner',
    endedAt: null,
    ended: null,
    endedBy: null,
    ...more,
  });
  const used = rule(1, { uses: 1 });
  const over = rule(2, { ended: 'revoked', endedAt: 9, endedBy: 'owner' });
  const events: RelayEvent[] = [
    { type: 'rule.used', seq: 8, at: 8, rule: used, agentId: 'Worker', approvalId: 'a' },
    { type: 'rule.ended', seq: 9, at: 9, rule: over },
    { type: 'rule.created', seq: 10, at: 10, rule: rule(3) },
  ];
  const shown = after(rulesView, [rule(2), rule(1)], ...events);
  expect(shown).toEqual([rule(3), over, used]);
  expect(shown.map(isActiveRule)).toEqual([true, false, true]);
});

test('what is narrowed by receipts is read again when one comes, and a new message has none', () => {
  const failed = { state: 'failed', evidence: null, late: false, reason: 'gone' } as const;
  const told = { type: 'delivery.failed', seq: 9, at: 9, messageId: 9, agentId: 'Worker', from: 'Lead', ...failed } as const;
  expect(messagesView({ state: 'failed' }).apply([], told)).toBe(READ_AGAIN);
  expect(messagesView({}).apply([], told)).toEqual([]);
  expect(after(messagesView({ state: 'failed' }), [], { type: 'message.new', seq: 9, at: 9, message, matched: 1 })).toEqual([]);
});

test('what is open is as much as the relay counts, however much that is, and counted again when it may be another', async () => {
  const asked: unknown[] = [];
  const counting = (counts: Record<string, number>) => ({
    count: async (request: object) => {
      asked.push(request);
      return { counts, cursor: 5 };
    },
  });
  // Of a client what these views ask.
  const relay = {
    approvals: counting({ pending: 1_523, allowed: 9 }),
    holds: counting({ held: 2_000 }),
    callbacks: counting({ dead: 12_345 }),
    pairs: counting({ pending: 1_100, active: 2, ended: 9 }),
  } as unknown as RelayClient;
  const read = [
    await pendingApprovals.read(relay),
    await openHolds.read(relay),
    await callbackCount('dead').read(relay),
    await openPairCount.read(relay),
  ];
  expect(read.map(({ data, cursor }) => [data, cursor])).toEqual([
    [1_523, 5],
    [2_000, 5],
    [12_345, 5],
    [1_102, 5],
  ]);
  expect(asked).toEqual([{ status: 'pending' }, { status: 'held' }, { status: 'dead' }, {}]);
  const question: RelayEvent = { type: 'approval.requested', seq: 6, at: 6, approval: { approvalId: 'a' } as Approval }; // that it is one is all that counts
  const hold: RelayEvent = { type: 'message.held', seq: 7, at: 7, hold: held(7) };
  const message: RelayEvent = told(8, task(8));
  expect([question, hold, message].map((event) => [pendingApprovals.apply(3, event), openHolds.apply(3, event)])).toEqual([
    [READ_AGAIN, 3],
    [3, READ_AGAIN],
    [3, 3],
  ]);
});
