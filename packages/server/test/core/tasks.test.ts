import type { Principal, RouteInput, RouteRequest, Scope, Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { anonymous, codeOf, owner, World } from './world.ts';

const integration = (more: Partial<Extract<Principal, { type: 'integration' }>> = {}): Principal => ({
  type: 'integration',
  workspace: 'default',
  name: 'ops',
  scopes: ['tasks:create'] satisfies Scope[],
  targets: null,
  channels: null,
  ...more,
});

const alarm = { title: '5xx rate high', body: 'above 8%', target: 'tag:ops', dedupeKey: 'api:5xx' };

const report = (world: World, event: RouteRequest<'integrations/report'> = alarm, principal = integration()) =>
  Promise.resolve(world.call['integrations/report'](event, world.as(principal)));

async function reported(world: World, event: RouteRequest<'integrations/report'> = alarm, principal = integration()): Promise<Task> {
  const { task } = await report(world, event, principal);
  if (!task) throw new Error('nothing was made of the report');
  return task;
}

const claim = (world: World, id: number, agentId: string) =>
  Promise.resolve(world.call['tasks/claim']({ id, agentId }, world.as(anonymous)));
const taskOf = async (world: World, id: number): Promise<Task> => world.call['tasks/get']({ id }, world.as(anonymous));
const history = async (world: World, id: number) => (await world.call['tasks/events']({ id }, world.as(anonymous))).data;
const setStatus = (world: World, input: RouteInput<'tasks/status'>, principal = anonymous) =>
  Promise.resolve(world.call['tasks/status'](input, world.as(principal)));

test('500 parallel events under one key make one task, one claimable message and 500 occurrences', async () => {
  await using world = await World.open({ reportsPerMinute: 1_000 });
  await world.register('a', { tags: ['ops'] });
  const answers = await Promise.all(Array.from({ length: 500 }, () => report(world)));
  expect(answers.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
  const { data: tasks } = await world.call['tasks/list']({}, world.as(anonymous));
  expect(tasks).toMatchObject([{ source: 'ops', status: 'open', occurrenceCount: 500, target: 'tag:ops' }]);
  const { data: messages } = await world.call['messages/list']({ claimable: true }, world.as(anonymous));
  expect(messages.map(({ id }) => id)).toEqual([tasks[0]?.id]);
  expect((await history(world, tasks[0]?.id ?? 0)).map(({ type, count }) => [type, count])).toEqual([
    ['task.created', 1],
    ['task.repeated', 499],
  ]);
  expect((await world.events()).filter(({ type }) => type === 'task.repeated')).toHaveLength(499);
});

test('of 200 racers for a task one wins and 199 are told who did', async () => {
  await using world = await World.open();
  const racers = Array.from({ length: 200 }, (_, index) => `agent-${index}`);
  await Promise.all(racers.map((id) => world.register(id, { tags: ['ops'] })));
  const { id } = await reported(world);
  const outcomes = await Promise.all(racers.map((racer) => codeOf(() => claim(world, id, racer))));
  expect(outcomes.filter((code) => code === 'none')).toHaveLength(1);
  expect(outcomes.filter((code) => code === 'already_claimed')).toHaveLength(199);
});

test('the message that offers a task says what it is, from its integration', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  const task = await reported(world, { ...alarm, severity: 'critical', externalUrl: 'https://grafana.example/d/1', channel: 'alerts' });
  const message = await world.call['messages/get']({ id: task.id }, world.as(anonymous));
  expect(message).toMatchObject({
    from: 'ops',
    to: 'tag:ops',
    channel: 'alerts',
    kind: 'task',
    claimable: true,
    subject: '5xx rate high',
    body: '(critical)\n\nabove 8%\n\nhttps://grafana.example/d/1',
    sender: { relation: 'integration', principal: 'integration:ops' },
    payload: { taskId: task.id, dedupeKey: 'api:5xx', severity: 'critical' },
  });
});

test('a task and its message are one piece of work: claiming either claims the task', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  await world.register('b', { tags: ['ops'] });
  const { id } = await reported(world);
  const { data: work } = await world.call['work/list']({ for: 'a' }, world.as(anonymous));
  expect(work).toMatchObject([{ kind: 'task', task: { id }, message: { id }, claim: null }]);
  const held = await world.call['messages/claim']({ id, agentId: 'a' }, world.as(anonymous));
  expect(held).toMatchObject({ kind: 'task', subjectId: id, agentId: 'a', fence: 1, status: 'held' });
  expect(await codeOf(() => claim(world, id, 'b'))).toBe('already_claimed');
  expect(await taskOf(world, id)).toMatchObject({ status: 'claimed', claimedBy: 'a', claimId: held.claimId });
  expect((await world.call['work/list']({ for: 'b' }, world.as(anonymous))).data).toEqual([]);
});

test('what is written under the claim moves the task, and its history tells of each step', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  const { id } = await reported(world);
  const { claimId, fence } = await claim(world, id, 'a');
  await world.call['claims/progress']({ id: claimId, fence, progress: { percent: 40 } }, world.as(anonymous));
  expect(await taskOf(world, id)).toMatchObject({ status: 'in_progress', progress: { percent: 40 } });
  await world.call['claims/renew']({ id: claimId, fence, leaseMs: 900_000 }, world.as(anonymous));
  await setStatus(world, { id, agentId: 'a', status: 'blocked' });
  await world.call['claims/complete']({ id: claimId, fence, result: 'rolled back' }, world.as(anonymous));
  expect(await taskOf(world, id)).toMatchObject({ status: 'done', result: 'rolled back', claimedBy: 'a', endedAt: world.clock.now() });
  expect((await history(world, id)).map(({ type, status, by }) => [type, status, by])).toEqual([
    ['task.created', 'open', 'integration:ops'],
    ['task.claimed', 'claimed', 'a'],
    ['task.updated', 'in_progress', 'a'],
    ['task.updated', 'blocked', 'a'],
    ['task.completed', 'done', 'a'],
  ]);
});

test('a lease that runs out, a release and a silent holder each open the task again', async () => {
  await using world = await World.open({ staleTtlMs: 5_000_000 });
  await world.register('a', { tags: ['ops'] });
  const { id } = await reported(world);
  const first = await claim(world, id, 'a');
  world.clock.advance(600_001);
  await world.relay.reap();
  expect(await taskOf(world, id)).toMatchObject({ status: 'open', claimedBy: null, claimId: null });
  const stale = { id: first.claimId, fence: first.fence, result: 'late' };
  expect(await codeOf(() => world.call['claims/complete'](stale, world.as(anonymous)))).toBe('stale_fence');
  const second = await claim(world, id, 'a');
  expect(second.fence).toBe(2);
  await setStatus(world, { id, agentId: 'a', status: 'open' });
  await claim(world, id, 'a');
  await world.register('a', { tags: ['ops'], instanceId: 'another' });
  expect(await taskOf(world, id)).toMatchObject({ status: 'open', claimedBy: null });
});

test('who shows an older fence is told that it is stale, also when somebody else holds the task or has ended it', async () => {
  await using world = await World.open({ staleTtlMs: 5_000_000 });
  await world.register('a', { tags: ['ops'] });
  await world.register('b', { tags: ['ops'] });
  const { id } = await reported(world);
  const { fence } = await claim(world, id, 'a');
  world.clock.advance(600_001);
  const late = () => codeOf(() => setStatus(world, { id, agentId: 'a', fence, status: 'done' }));
  await claim(world, id, 'b');
  expect(await late()).toBe('stale_fence');
  await setStatus(world, { id, agentId: 'b', status: 'open' });
  const again = await claim(world, id, 'a');
  await setStatus(world, { id, agentId: 'a', fence: again.fence, status: 'done' });
  expect(await late()).toBe('stale_fence');
});

test('resolving at the source ends the task, fences its holder and tells it to stop; the next event makes a new one', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  const { id } = await reported(world);
  const { claimId, fence } = await claim(world, id, 'a');
  expect(await report(world, { ...alarm, status: 'resolved' })).toMatchObject({ outcome: 'resolved', task: { id, status: 'done' } });
  const late = { id: claimId, fence, result: 'mine' };
  expect(await codeOf(() => world.call['claims/complete'](late, world.as(anonymous)))).toBe('claim_closed');
  const { data: mail } = await world.call['inbox/list']({ id: 'a', peek: true }, world.as(anonymous));
  expect(mail.at(-1)?.message).toMatchObject({ from: 'relay', payload: { type: 'task.completed', taskId: id, claimId } });
  expect(await report(world, { ...alarm, status: 'resolved' })).toEqual({ outcome: 'ignored', task: null, duplicate: false });
  expect(await codeOf(() => claim(world, id, 'a'))).toBe('claim_closed');
  const again = await report(world);
  expect(again.outcome).toBe('created');
  expect(again.task?.id).toBeGreaterThan(id);
});

test('its source and the owner may cancel a task; a stranger may not, and the holder only under its own claim', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  await world.register('b', { tags: ['ops'] });
  const first = await reported(world);
  await claim(world, first.id, 'a');
  expect(await codeOf(() => setStatus(world, { id: first.id, agentId: 'b', status: 'canceled' }))).toBe('forbidden');
  expect(await codeOf(() => setStatus(world, { id: first.id, status: 'canceled' }))).toBe('validation_failed');
  expect(await codeOf(() => setStatus(world, { id: first.id, status: 'blocked' }, owner))).toBe('forbidden');
  expect(await setStatus(world, { id: first.id, status: 'canceled' }, integration({ scopes: ['tasks:write'] }))).toMatchObject({
    status: 'canceled',
  });
  expect(await codeOf(() => setStatus(world, { id: first.id, agentId: 'a', status: 'done' }))).toBe('claim_closed');
  const second = await reported(world);
  expect(await setStatus(world, { id: second.id, status: 'failed', result: 'gave up' }, owner)).toMatchObject({
    status: 'failed',
    result: 'gave up',
  });
});

test('an ending that its holder says again is answered with what it did', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  const { id } = await reported(world);
  const { fence } = await claim(world, id, 'a');
  const ended = await setStatus(world, { id, fence, status: 'failed', result: 'no access' });
  const before = world.head;
  expect(await setStatus(world, { id, agentId: 'a', status: 'failed', result: 'no access' })).toEqual(ended);
  expect(world.head).toBe(before);
  expect(await codeOf(() => setStatus(world, { id, agentId: 'a', status: 'in_progress' }))).toBe('claim_closed');
});

test('a token addresses what it may and nothing else, also when it reports again', async () => {
  await using world = await World.open();
  const narrow = integration({ targets: ['tag:ops'], channels: ['alerts'] });
  expect(await reported(world, { title: 'no target said', dedupeKey: 'x' }, narrow)).toMatchObject({ target: 'tag:ops' });
  expect(await codeOf(() => report(world, { ...alarm, target: 'broadcast' }, narrow))).toBe('forbidden_target');
  expect(await codeOf(() => report(world, { ...alarm, channel: 'deploy' }, narrow))).toBe('forbidden_target');
  await reported(world, alarm, narrow);
  expect(await codeOf(() => report(world, { ...alarm, target: 'id:boss' }, narrow))).toBe('forbidden_target');
  expect(await codeOf(() => report(world, { ...alarm, source: 'other' }, narrow))).toBe('forbidden');
});

test('a report under an idempotency key counts once, and a late repetition of it resolves nothing that came after', async () => {
  await using world = await World.open();
  const first = await report(world, { ...alarm, idempotencyKey: 'one' });
  expect(await report(world, { ...alarm, idempotencyKey: 'one' })).toEqual({ ...first, duplicate: true });
  const resolve = { ...alarm, status: 'resolved', idempotencyKey: 'two' } as const;
  expect((await report(world, resolve)).outcome).toBe('resolved');
  await report(world, { ...alarm, idempotencyKey: 'three' });
  expect(await report(world, resolve)).toMatchObject({
    outcome: 'resolved',
    task: { id: first.task?.id, status: 'done' },
    duplicate: true,
  });
  const keyless = { title: 'deploy', target: 'tag:ops', idempotencyKey: 'four' };
  const deployed = await reported(world, keyless);
  expect(await reported(world, keyless)).toEqual(deployed);
  await expect(report(world, { ...keyless, title: 'another' })).rejects.toMatchObject({ code: 'idempotency_mismatch' });
  expect(await reported(world, keyless, integration({ name: 'ci' }))).toMatchObject({ source: 'ci' });
});

test('the same key of another source is another task', async () => {
  await using world = await World.open();
  const first = await reported(world);
  const second = await reported(world, alarm, integration({ name: 'ci' }));
  expect([first.occurrenceCount, second.occurrenceCount]).toEqual([1, 1]);
  const { data } = await world.call['integrations/list']({}, world.as(anonymous));
  expect(data).toMatchObject([
    { name: 'ci', configured: false, tasks: { active: 1, total: 1 } },
    { name: 'ops', configured: false, tasks: { active: 1, total: 1 } },
  ]);
});

test('a source may report so many events in any minute, and after the wait it is told it may go on', async () => {
  await using world = await World.open({ reportsPerMinute: 3 });
  await report(world);
  world.clock.advance(50_000);
  await report(world);
  await report(world);
  await expect(report(world)).rejects.toMatchObject({ code: 'rate_limited', details: { retryAfterMs: 10_000 } });
  expect((await report(world, alarm, integration({ name: 'ci' }))).outcome).toBe('created');
  world.clock.advance(9_999);
  expect(await codeOf(() => report(world))).toBe('rate_limited');
  world.clock.advance(1);
  expect((await report(world)).outcome).toBe('repeated');
  await expect(report(world)).rejects.toMatchObject({ details: { retryAfterMs: 50_000 } });
});

test('by default a source may report 120 events in a minute', async () => {
  await using world = await World.open();
  for (let count = 0; count < 120; count += 1) await report(world);
  expect(await codeOf(() => report(world))).toBe('rate_limited');
  world.clock.advance(60_000);
  expect((await report(world)).task?.occurrenceCount).toBe(121);
});

test('tasks, their claims and history are there after a restart, and the key still joins', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  const { id } = await reported(world);
  const { claimId, fence } = await claim(world, id, 'a');
  await world.restart();
  expect(await report(world)).toMatchObject({ outcome: 'repeated', task: { id, occurrenceCount: 2, status: 'claimed' } });
  await world.call['claims/complete']({ id: claimId, fence, result: 1 }, world.as(anonymous));
  expect((await history(world, id)).map(({ type }) => type)).toEqual(['task.created', 'task.claimed', 'task.repeated', 'task.completed']);
});

test('deleting the message that offers a task cancels it, whether it is open or held', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  const open = await reported(world);
  await world.call['messages/remove']({ id: open.id }, world.as(owner));
  expect(await taskOf(world, open.id)).toMatchObject({ status: 'canceled' });
  const held = await reported(world);
  await claim(world, held.id, 'a');
  await world.call['messages/remove']({ id: held.id }, world.as(owner));
  expect(await taskOf(world, held.id)).toMatchObject({ status: 'canceled', claimedBy: 'a' });
});

test('retention leaves an active task and its message alone, and prunes what has ended', async () => {
  await using world = await World.open({ retentionMs: 1_000, offlinePruneMs: 10_000_000_000 });
  const active = await reported(world);
  const ended = await reported(world, { ...alarm, dedupeKey: 'other' });
  await setStatus(world, { id: ended.id, status: 'canceled' }, owner);
  world.clock.advance(10_000);
  await world.relay.reap();
  expect((await taskOf(world, active.id)).status).toBe('open');
  expect((await world.call['messages/get']({ id: active.id }, world.as(anonymous))).body).toContain('above 8%');
  expect(await codeOf(() => taskOf(world, ended.id))).toBe('not_found');
});

test('a reader of one agent’s or one channel’s events gets the tasks offered to it there', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['ops'] });
  await world.register('b', { tags: ['web'] });
  await reported(world, { ...alarm, channel: 'alerts' });
  const types = async (filter: { for?: string; channel?: string }) =>
    (await world.events(0, { ...filter, types: ['task', 'work'] })).map(({ type }) => type);
  expect(await types({ for: 'a' })).toEqual(['work.available', 'task.created']);
  expect(await types({ for: 'b' })).toEqual([]);
  expect(await types({ channel: 'alerts' })).toEqual(['work.available', 'task.created']);
});

test('tasks are found by their words and counted by status, of those that the caller may read', async () => {
  await using world = await World.open({ reportsPerMinute: 1_000 });
  await world.register('Worker', { tags: ['ops'] });
  const { id } = await reported(world, { ...alarm, title: 'Ärger with db-7', dedupeKey: 'db-7' });
  for (let count = 0; count < 250; count += 1) await reported(world, { ...alarm, dedupeKey: `other-${count}` });
  const foreign = await reported(world, { ...alarm, title: 'db-7 again' }, integration({ name: 'ci' }));
  await claim(world, id, 'Worker');
  const call = (principal: Principal) => ({
    find: async (words: string, more = {}) =>
      (await world.call['tasks/list']({ find: words, limit: 5, ...more }, world.as(principal))).data.map((task) => task.id),
    count: async (asked: RouteInput<'tasks/count'>) => (await world.call['tasks/count'](asked, world.as(principal))).counts,
  });
  const none = { open: 0, claimed: 0, in_progress: 0, blocked: 0, done: 0, failed: 0, canceled: 0 };
  expect(await call(owner).find(' ÄRGER ')).toEqual([id]);
  expect(await call(owner).find('db-7', { status: 'open' })).toEqual([foreign.id]);
  expect(await call(owner).find('worker')).toEqual([id]);
  expect(await call(owner).find('nowhere')).toEqual([]);
  expect(await call(owner).count({})).toEqual({ ...none, open: 251, claimed: 1 });
  expect(await call(owner).count({ status: 'active' })).toEqual({ ...none, open: 251, claimed: 1 });
  expect(await call(owner).count({ status: 'claimed' })).toEqual({ ...none, claimed: 1 });
  expect(await call(owner).count({ find: 'DB-7' })).toEqual({ ...none, open: 1, claimed: 1 });
  expect(await call(owner).count({ source: 'ci', target: 'tag:ops' })).toEqual({ ...none, open: 1 });
  expect(await call(integration()).find('db-7')).toEqual([id]);
  expect(await call(integration()).count({ status: 'open' })).toEqual({ ...none, open: 250 });
  await setStatus(world, { id, agentId: 'Worker', status: 'done' });
  expect(await call(owner).count({ status: 'active' })).toEqual({ ...none, open: 251 });
  expect(await call(owner).count({})).toEqual({ ...none, open: 251, done: 1 });
  expect(await call(owner).count({ status: 'ended' })).toEqual({ ...none, done: 1 });
  expect(await call(owner).find('db-7', { status: 'ended' })).toEqual([id]);
});
