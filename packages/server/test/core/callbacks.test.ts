import { createHash, createHmac } from 'node:crypto';
import { type Principal, type Scope, TaskSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { Logger } from '../../src/logger.ts';
import type { IntegrationSettings } from '../../src/relay/contract/integration-settings.ts';
import type { PostAnswer, PostRequest, PostSender } from '../../src/relay/outbound/post-request.ts';
import { anonymous, anotherTurn, codeOf, observer, owner, until, World } from './world.ts';

const settings = (name: string): IntegrationSettings => ({
  name,
  tokenHash: `hash of ${name}`,
  tokenLength: 32,
  scopes: ['tasks:create'],
  targets: null,
  channels: null,
  callbackUrl: `https://${name}.example/hook`,
  callbackKey: 'the key',
});
const integration = (name = 'ops'): Principal => ({
  type: 'integration',
  workspace: 'default',
  name,
  scopes: ['tasks:create', 'tasks:write'] satisfies Scope[],
  targets: null,
  channels: null,
});

/** The network: answers what it is told to, and remembers what it was sent. */
class Outside implements PostSender {
  readonly sent: PostRequest[] = [];
  answer: (request: PostRequest, count: number) => PostAnswer | Promise<PostAnswer> = () => ({ status: 200, error: null });

  async send(request: PostRequest, signal: AbortSignal): Promise<PostAnswer> {
    this.sent.push(request);
    const aborted = new Promise<PostAnswer>((resolve) => {
      signal.addEventListener('abort', () => resolve({ status: null, error: 'cut off' }), { once: true });
    });
    return Promise.race([this.answer(request, this.sent.length), aborted]);
  }

  get bodies(): { event: string; task: { id: number; status: string } }[] {
    return this.sent.map(({ body }) => JSON.parse(body));
  }

  get events(): string[] {
    return this.bodies.map(({ event, task }) => `${event} ${task.status}`);
  }
}

const open = (outside: Outside, names = ['ops']) =>
  World.open(
    { staleTtlMs: 200_000_000, reapIntervalMs: 200_000_000 },
    { integrations: names.map(settings), callbacks: { sender: outside, random: () => 0 } },
  );

async function report(world: World, more: { dedupeKey?: string; status?: 'resolved' } = {}, name = 'ops'): Promise<number> {
  const { task } = await world.call['integrations/report']({ title: 'disk full', target: 'id:a', ...more }, world.as(integration(name)));
  return task?.id ?? 0;
}

const listed = async (world: World, status?: 'pending' | 'delivered' | 'dead') =>
  (await world.call['callbacks/list'](status ? { status } : {}, world.as(owner))).data;

test('every step of a task is told once, in order, in the shape its source knows', async () => {
  const outside = new Outside();
  await using world = await open(outside);
  await world.register('a');
  const id = await report(world);
  const { claimId, fence } = await world.call['tasks/claim']({ id, agentId: 'a' }, world.as(anonymous));
  await world.call['claims/progress']({ id: claimId, fence, progress: 10 }, world.as(anonymous));
  await world.call['claims/progress']({ id: claimId, fence, progress: 20 }, world.as(anonymous));
  await world.call['claims/complete']({ id: claimId, fence, result: 'Rolled back' }, world.as(anonymous));
  await until(() => outside.sent.length === 5);
  expect(outside.events).toEqual([
    'task.created open',
    'task.claimed claimed',
    'task.status in_progress',
    'task.updated in_progress',
    'task.status done',
  ]);
  expect(outside.bodies.at(-1)).toMatchObject({
    event: 'task.status',
    type: 'task.completed',
    task: { id, status: 'done', result: 'Rolled back' },
  });
  for (const { task } of outside.bodies) expect(TaskSchema.safeParse(task).error).toBe(undefined);
  await until(async () => (await listed(world, 'delivered')).length === 5);
});

test('a callback is signed with its time, and names itself for a receiver that sees it twice', async () => {
  const outside = new Outside();
  await using world = await open(outside);
  await report(world);
  await until(() => outside.sent.length === 1);
  const { body = '', headers = {}, url } = outside.sent[0] ?? {};
  const seconds = Math.floor(world.clock.now() / 1000);
  const signature = createHmac('sha256', 'the key').update(`${seconds}.${body}`).digest('hex');
  expect(headers['x-agent-relay-signature']).toBe(`t=${seconds},v1=${signature}`);
  expect(headers['idempotency-key']).toBe(createHash('sha256').update(body).digest('hex').slice(0, 32));
  expect(url).toBe('https://ops.example/hook');
});

test('a callback that fails is tried again, later each time, and those of its task wait behind it', async () => {
  const outside = new Outside();
  outside.answer = (_request, count) => (count <= 3 ? { status: 503, error: null } : { status: 200, error: null });
  await using world = await open(outside);
  const id = await report(world);
  await world.call['tasks/status']({ id, status: 'canceled' }, world.as(owner));
  for (const [attempt, delay] of [1_000, 2_000, 4_000].entries()) {
    await until(async () => (await listed(world))[1]?.attempts === attempt + 1);
    expect(await listed(world)).toMatchObject([
      { status: 'pending', attempts: 0, nextAttemptAt: null },
      { status: 'pending', lastStatus: 503, nextAttemptAt: world.clock.now() + delay },
    ]);
    world.clock.advance(delay - 1);
    expect(outside.sent).toHaveLength(attempt + 1);
    world.clock.advance(1);
  }
  await until(() => outside.sent.length === 5);
  expect(outside.events).toEqual([...Array(4).fill('task.created open'), 'task.status canceled']);
  expect(new Set(outside.sent.slice(0, 4).map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
});

test('Retry-After holds everything that goes there, for as long as it says', async () => {
  const outside = new Outside();
  outside.answer = (_request, count) => (count === 1 ? { status: 429, error: null, retryAfter: '120' } : { status: 200, error: null });
  await using world = await open(outside);
  await report(world);
  await until(async () => (await listed(world))[0]?.attempts === 1);
  await report(world, { dedupeKey: 'another task' });
  world.clock.advance(119_999);
  await until(async () => (await listed(world)).length === 2);
  expect(outside.sent).toHaveLength(1);
  world.clock.advance(1);
  await until(async () => (await listed(world, 'delivered')).length === 2);
  expect(outside.sent).toHaveLength(3);
});

test('a Retry-After of a day holds its own callback for a day, and the others for minutes', async () => {
  const outside = new Outside();
  outside.answer = (_request, count) => (count === 1 ? { status: 503, error: null, retryAfter: '86400' } : { status: 200, error: null });
  await using world = await open(outside);
  await report(world);
  await until(async () => (await listed(world))[0]?.attempts === 1);
  await report(world, { dedupeKey: 'another task' });
  world.clock.advance(300_000);
  await until(async () => (await listed(world, 'delivered')).length === 1);
  await report(world, { dedupeKey: 'a third task' });
  await until(async () => (await listed(world, 'delivered')).length === 2);
});

test('410 ends a callback at once, and a lasting 422 of one does not hold the rest of its task back', async () => {
  const outside = new Outside();
  outside.answer = ({ headers }) => ({ status: headers['x-agent-relay-event'] === 'task.created' ? 422 : 200, error: null });
  await using world = await open(outside);
  const id = await report(world);
  await world.call['tasks/status']({ id, status: 'canceled' }, world.as(owner));
  for (const [attempt, delay] of [1_000, 2_000, 4_000, 8_000].entries()) {
    await until(async () => (await listed(world))[1]?.attempts === attempt + 1);
    world.clock.advance(delay);
  }
  await until(async () => (await listed(world))[0]?.status === 'delivered');
  expect(await listed(world, 'dead')).toMatchObject([
    { event: 'task.created', attempts: 5, lastStatus: 422, lastError: 'It answered 422' },
  ]);
  outside.answer = () => ({ status: 410, error: null });
  await report(world, { dedupeKey: 'another task' });
  await until(async () => (await listed(world, 'dead')).length === 2);
  expect((await listed(world, 'dead'))[0]).toMatchObject({ attempts: 1, lastStatus: 410 });
});

test('a restart between two attempts loses nothing and keeps the order and the keys', async () => {
  const outside = new Outside();
  outside.answer = () => ({ status: null, error: 'connect ECONNREFUSED' });
  await using world = await open(outside);
  const id = await report(world);
  await world.call['tasks/status']({ id, status: 'canceled' }, world.as(owner));
  await until(async () => (await listed(world))[1]?.attempts === 1);
  await world.restart();
  outside.answer = () => ({ status: 204, error: null });
  world.clock.advance(1_000);
  await until(async () => (await listed(world, 'delivered')).length === 2);
  expect(outside.events).toEqual(['task.created open', 'task.created open', 'task.status canceled']);
  expect(outside.sent[0]?.headers['idempotency-key']).toBe(outside.sent[1]?.headers['idempotency-key']);
});

test('a restart goes on counting attempts: the next one is as late as it would have been', async () => {
  const outside = new Outside();
  outside.answer = () => ({ status: 500, error: null });
  await using world = await open(outside);
  await report(world);
  for (const [attempt, delay] of [1_000, 2_000, 4_000, 8_000].entries()) {
    await until(async () => (await listed(world))[0]?.attempts === attempt + 1);
    await world.restart();
    expect(await listed(world)).toMatchObject([{ attempts: attempt + 1, nextAttemptAt: world.clock.now() + delay }]);
    world.clock.advance(delay - 1);
    expect(outside.sent).toHaveLength(attempt + 1);
    world.clock.advance(1);
  }
});

test('what was under way when the relay stopped is sent again under the same key', async () => {
  const outside = new Outside();
  outside.answer = () => new Promise(() => {});
  await using world = await open(outside);
  await report(world);
  await until(() => outside.sent.length === 1);
  await world.restart();
  await until(() => outside.sent.length === 2);
  expect(outside.sent[1]).toEqual(outside.sent[0]);
  expect(await listed(world)).toMatchObject([{ status: 'pending', attempts: 0 }]);
});

test('after a day it is dead, the next of its task goes on, and a person may send it again', async () => {
  const outside = new Outside();
  outside.answer = () => ({ status: 500, error: null });
  await using world = await open(outside);
  const id = await report(world);
  await world.call['tasks/status']({ id, status: 'canceled' }, world.as(owner));
  const lastAttempts = async () => (await listed(world)).reduce((sum, { attempts }) => sum + attempts, 0);
  for (let before = 0; (await listed(world, 'dead')).length < 2; before = await lastAttempts()) {
    await until(async () => (await lastAttempts()) > before);
    const pending = (await listed(world, 'pending')).find(({ nextAttemptAt }) => nextAttemptAt !== null);
    if (pending?.nextAttemptAt) world.clock.advance(Math.max(0, pending.nextAttemptAt - world.clock.now()));
  }
  const [second, first] = await listed(world, 'dead');
  expect(first).toMatchObject({ event: 'task.created', lastStatus: 500, lastError: 'It answered 500', nextAttemptAt: null });
  expect(first?.attempts).toBeGreaterThan(24);
  expect(second?.event).toBe('task.status');
  expect(second?.attempts).toBeGreaterThan(0);
  expect(world.clock.now() - (first?.createdAt ?? 0)).toBeLessThanOrEqual(86_400_000);
  outside.answer = () => ({ status: 200, error: null });
  const again = await world.call['callbacks/redeliver']({ id: first?.id ?? 0 }, world.as(owner));
  expect(again.status).toBe('pending');
  await until(async () => (await listed(world, 'delivered')).length === 1);
  expect(outside.events.at(-1)).toBe('task.created open');
});

test('every attempt and every redelivery is told to whoever follows the log, without what the other side answered', async () => {
  const outside = new Outside();
  outside.answer = (_request, count) => (count === 1 ? { status: 503, error: null } : { status: 200, error: null });
  await using world = await open(outside);
  const taskId = await report(world);
  await until(async () => (await listed(world))[0]?.attempts === 1);
  world.clock.advance(1_000);
  await until(async () => (await listed(world, 'delivered')).length === 1);
  await world.call['callbacks/redeliver']({ id: 1 }, world.as(owner));
  await until(async () => (await listed(world))[0]?.attempts === 3);
  const told = (await world.events(0, { types: ['callback'] })).map(({ seq, at, ...event }) => event);
  const update = { type: 'callback.updated', callbackId: 1, taskId, integration: 'ops' };
  expect(told).toEqual(['pending', 'delivered', 'pending', 'delivered'].map((status) => ({ ...update, status })));
  expect(await world.events(0, { types: ['callback'], for: 'ops' })).toHaveLength(4);
  expect(await world.events(0, { types: ['callback'], for: 'a' })).toEqual([]);
});

test('a slow integration holds up its own tasks only, and never two callbacks of one task at once', async () => {
  const outside = new Outside();
  const release: (() => void)[] = [];
  outside.answer = ({ url }) =>
    url.includes('slow')
      ? new Promise((resolve) => void release.push(() => resolve({ status: 200, error: null })))
      : { status: 200, error: null };
  await using world = await open(outside, ['slow', 'ops']);
  const ids = [];
  for (let count = 0; count < 6; count += 1) ids.push(await report(world, {}, 'slow'));
  for (const id of ids) await world.call['tasks/status']({ id, status: 'canceled' }, world.as(owner));
  await report(world);
  await until(() => outside.sent.some(({ url }) => url.includes('ops')));
  expect(release).toHaveLength(4);
  for (let done = 0; done < 12; done += 1) {
    await until(() => release.length > done);
    release[done]?.();
  }
  await until(async () => (await listed(world, 'delivered')).length === 13);
  for (const id of ids) {
    const own = outside.bodies.filter(({ task }) => task.id === id).map(({ task }) => task.status);
    expect(own).toEqual(['open', 'canceled']);
  }
});

test('callbacks that could not be read are looked at again', async () => {
  const outside = new Outside();
  await using world = await open(outside);
  const { callbacks } = world.relay.core.store;
  const due = callbacks.due.bind(callbacks);
  let isBroken = true;
  callbacks.due = (...query) => (isBroken ? Promise.reject(new Error('disk I/O error')) : due(...query));
  await report(world);
  await until(async () => (await listed(world)).length === 1);
  isBroken = false;
  await until(() => {
    world.clock.advance(1_000);
    return outside.sent.length === 1;
  });
});

test('an integration sees and redelivers its own callbacks only; a redirect is a failure that says so', async () => {
  const outside = new Outside();
  outside.answer = () => ({ status: 302, error: null });
  await using world = await open(outside, ['ops', 'ci']);
  await report(world);
  await until(async () => (await listed(world))[0]?.attempts === 1);
  expect((await listed(world))[0]?.lastError).toBe('It answered 302: redirects are not followed');
  const seenBy = async (name: string) => (await world.call['callbacks/list']({}, world.as(integration(name)))).data.length;
  expect([await seenBy('ops'), await seenBy('ci')]).toEqual([1, 0]);
  const counted = async (principal: Principal, asked = {}) => (await world.call['callbacks/count'](asked, world.as(principal))).counts;
  const none = { pending: 0, delivered: 0, dead: 0 };
  expect(await counted(owner)).toEqual({ ...none, pending: 1 });
  expect(await counted(owner, { status: 'dead' })).toEqual(none);
  expect([await counted(integration('ops')), await counted(integration('ci'))]).toEqual([{ ...none, pending: 1 }, none]);
  expect(await codeOf(() => world.call['callbacks/count']({}, world.as(anonymous)))).toBe('unauthorized');
  expect(await codeOf(() => world.call['callbacks/redeliver']({ id: 1 }, world.as(integration('ci'))))).toBe('not_found');
  expect(await codeOf(() => world.call['callbacks/redeliver']({ id: 9 }, world.as(owner)))).toBe('not_found');
  expect(await codeOf(() => world.call['callbacks/redeliver']({ id: 1 }, world.as(anonymous)))).toBe('unauthorized');
  expect(await codeOf(() => world.call['callbacks/list']({}, world.as(anonymous)))).toBe('unauthorized');
  // A token that does not read everybody's work is not told of it by what leaves the relay.
  const { scopes: _all, ...board } = observer as Extract<Principal, { type: 'token' }>; // it is one
  const narrow: Principal = { ...board, scopes: ['tasks:read', 'tasks:write'] };
  expect(await codeOf(() => world.call['callbacks/list']({}, world.as(narrow)))).toBe('forbidden');
  expect(await codeOf(() => world.call['callbacks/count']({}, world.as(narrow)))).toBe('forbidden');
  expect(await codeOf(() => world.call['callbacks/redeliver']({ id: 1 }, world.as(narrow)))).toBe('forbidden');
  expect(await codeOf(() => world.call['callbacks/list']({}, world.as(observer)))).toBe('none');
});

test('a callback and the step it tells of are committed together', async () => {
  await using world = await World.open({}, { integrations: [settings('ops')] });
  const id = await report(world);
  expect(await listed(world)).toMatchObject([{ taskId: id, integration: 'ops', event: 'task.created', status: 'pending' }]);
  await report(world, { dedupeKey: 'k' });
  await report(world, { dedupeKey: 'k' });
  // A source knows what it reported itself.
  expect(await listed(world)).toHaveLength(2);
});

test('callbacks are read page by page, newest first', async () => {
  await using world = await open(new Outside());
  for (let count = 0; count < 5; count += 1) await report(world);
  const page = async (before?: number) =>
    (await world.call['callbacks/list']({ limit: 2, ...(before && { before }) }, world.as(owner))).data.map(({ id }) => id);
  expect([await page(), await page(4), await page(2)]).toEqual([[5, 4], [3, 2], [1]]);
});

test('repeated reports are no callbacks, however many', async () => {
  const outside = new Outside();
  await using world = await open(outside);
  for (let count = 0; count < 50; count += 1) await report(world, { dedupeKey: 'disk' });
  await report(world, { dedupeKey: 'disk', status: 'resolved' });
  await until(() => outside.sent.length === 2);
  expect(outside.events).toEqual(['task.created open', 'task.status done']);
});

test('a receiver that is away is one line in the log, and one when it is back, however many callbacks wait', async () => {
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  // All that is asked of a log here; its type knows more.
  const log = { debug: () => {}, info: note, warn: note, error: note, child: () => log } as unknown as Logger;
  let isUp = false;
  const sender: PostSender = { send: async () => (isUp ? { status: 204, error: null } : { status: 503, error: null }) };
  const integration = {
    name: 'ops',
    tokenHash: 'none',
    tokenLength: 0,
    scopes: [],
    targets: null,
    channels: null,
    callbackUrl: 'https://ops.example',
    callbackKey: 'k',
  };
  await using world = await World.open({}, { log, integrations: [integration], callbacks: { sender, random: () => 0 } });
  await world.register('a');
  const reporter = {
    type: 'integration',
    workspace: 'default',
    name: 'ops',
    scopes: ['tasks:create'],
    targets: null,
    channels: null,
  } as const;
  for (let count = 0; count < 20; count += 1)
    await world.call['integrations/report']({ title: `t${count}`, target: 'a' }, world.as({ ...reporter, scopes: [...reporter.scopes] }));
  for (let minute = 0; minute < 10; minute += 1) {
    world.clock.advance(60_000);
    await anotherTurn();
  }
  await until(() => lines.length > 0);
  expect(lines).toEqual(['callbacks fail']);
  isUp = true;
  for (let hour = 0; hour < 3; hour += 1) {
    world.clock.advance(3_600_000);
    await anotherTurn();
  }
  await until(() => lines.length > 1);
  expect(lines).toEqual(['callbacks fail', 'callbacks are taken again']);
});
