import { join } from 'node:path';
import { ANSWERED_AT_ONCE_MS, RelayError } from 'agent-relay-protocol';
import { FakePushService } from 'agent-relay-testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../src/logger.ts';
import { createAddressGuard } from '../src/outbound/address-guard.ts';
import { HttpPostSender } from '../src/outbound/http-post-sender.ts';
import { ensurePushKeys } from '../src/push-keys.ts';
import type { RelayCore } from '../src/relay/relay-core.ts';
import { createSessions } from '../src/relay/sessions/sessions.ts';
import { SqlitePushes } from '../src/store/sqlite/sqlite-pushes.ts';
import { agentOf, owner, World } from './core/world.ts';

const MINUTE_MS = 60_000;

let service: FakePushService;
let world: World;
let told: string[];

beforeEach(async () => {
  service = await FakePushService.start();
  told = [];
  const push = {
    sender: new HttpPostSender({ guard: createAddressGuard('all') }),
    random: () => 0,
    keys: () => ensurePushKeys(join(world.folder, 'relay.db.push-key')),
    endpointFault: () => null,
  };
  const log = { ...silentLogger, error: (message: string) => void told.push(message), info: (message: string) => void told.push(message) };
  world = await World.open(
    { staleTtlMs: 200_000_000, reapIntervalMs: 200_000_000 },
    { push, log, createSessions: (core: RelayCore) => createSessions(core) },
  );
  await world.register('Worker', { withToken: true, instanceId: 'i1' }, owner);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const store = () => world.relay.core.store;
const subscribe = () =>
  Promise.resolve(world.call['push/subscribe']({ ...service.subscribe(), topics: ['approvals', 'mail'] }, world.as(owner)));
const devices = async () => (await world.call['push/list']({}, world.as(owner))).data.length;
const nextAt = () => store().pushes.nextDue('default', service.origin);
const said = () => service.taken.map(({ text }) => JSON.parse(text));
const question = (approvalId: string) =>
  world.call['approvals/ask']({ id: 'Worker', approvalId, kind: 'execute', title: 'Bash: ls' }, world.as(agentOf('Worker')));
/** Asks, and waits until what is to be pushed of the last is written. */
const ask = async (...approvalIds: string[]) => {
  for (const approvalId of approvalIds) await question(approvalId);
  const tag = `approval/Worker/${approvalIds.at(-1)}`;
  await expect.poll(async () => (await store().pushes.tags('default')).includes(tag)).toBe(true);
};
const pass = (ms: number) => world.clock.advance(ms);
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `q${from + index}`);
const disk = () => new RelayError('store_unavailable', 'the disk');

test('many questions at once are one push to each device, which says how many they are and leads to all', async () => {
  for (let device = 0; device < 2; device += 1) await subscribe();
  await ask(...numbered(30));
  pass(ANSWERED_AT_ONCE_MS);
  await expect.poll(() => said().length).toBe(2);
  const one = { type: 'news', title: 'Worker asks', body: 'It wants to run a command, and 29 more wait', count: 30 };
  expect(said()).toEqual(Array(2).fill({ ...one, path: '/approvals', tag: 'approval' }));
  await expect.poll(nextAt).toBe(null);
  expect(service.requests).toBe(2);
});

test('no more than six a minute go to a device: what comes then waits, and what still waits a minute later is told at once', async () => {
  await subscribe();
  for (const [index, id] of numbered(6).entries()) {
    await ask(id);
    pass(ANSWERED_AT_ONCE_MS);
    await expect.poll(() => service.taken.length).toBe(index + 1);
  }
  await ask(...numbered(4, 6));
  pass(ANSWERED_AT_ONCE_MS);
  await expect.poll(async () => ((await nextAt()) ?? 0) - world.clock.now()).toBeGreaterThan(MINUTE_MS / 2);
  // What is answered meanwhile is not among it.
  await world.call['approvals/resolve']({ id: 'Worker', approvalId: 'q7', outcome: 'deny' }, world.as(owner));
  await expect.poll(async () => (await store().pushes.tags('default')).includes('approval/Worker/q7')).toBe(false);
  expect(service.requests).toBe(6);
  pass(MINUTE_MS);
  await expect.poll(() => said().slice(6)).toMatchObject([{ body: 'It wants to run a command, and 2 more wait', count: 3 }]);
  await expect.poll(nextAt).toBe(null);
  // Mail is another kind, and has a line of its own.
  const { id } = await world.call['messages/send']({ from: 'Worker', to: 'owner', body: 'hello' }, world.as(agentOf('Worker')));
  await expect.poll(nextAt).not.toBe(null);
  pass(ANSWERED_AT_ONCE_MS);
  await expect.poll(() => said().at(-1)).toMatchObject({ tag: `message/${id}`, path: `/messages/${id}` });
});

test('of what waits for a device that is looked at none is forgotten, however much it is', async () => {
  await subscribe();
  const look = (isLookedAt: boolean) => world.call['push/look']({ page: 'laptop', isLookedAt }, world.as(owner));
  await look(true);
  await ask(...numbered(90));
  expect((await store().pushes.tags('default')).length).toBeLessThan(60);
  await look(false);
  pass(MINUTE_MS);
  await expect.poll(said).toMatchObject([{ body: 'It wants to run a command, and 89 more wait', count: 90 }]);
});

test('a push that is too large for its service is given up alone; a service that does not know the browser ends its subscription', async () => {
  await subscribe();
  service.answer = { status: 413 };
  await ask('q1');
  pass(ANSWERED_AT_ONCE_MS);
  await expect.poll(() => service.requests).toBe(1);
  await expect.poll(nextAt).toBe(null);
  service.answer = null;
  await ask('q2');
  pass(ANSWERED_AT_ONCE_MS);
  await expect.poll(() => said().map(({ tag }) => tag)).toEqual(['approval/Worker/q2']);
  service.answer = { status: 404 };
  await ask('q3');
  pass(ANSWERED_AT_ONCE_MS);
  await expect.poll(devices).toBe(0);
});

/** Time goes on until it is so. */
const inTime = (isSo: () => boolean | Promise<boolean>) =>
  expect
    .poll(
      async () => {
        pass(5_000);
        return isSo();
      },
      { timeout: 60_000 },
    )
    .toBe(true);

test('a question that could not be read from the log, or not be written, for a while is pushed once that is over, and the log is told once', async () => {
  await subscribe();
  const taking = vi.spyOn(store().pushes, 'take').mockRejectedValue(disk());
  const checking = vi.spyOn(store(), 'check').mockResolvedValue(disk());
  const reading = vi.spyOn(store().log, 'read');
  await question('q1');
  await inTime(() => taking.mock.calls.length >= 4);
  reading.mockRejectedValue(disk());
  const before = reading.mock.calls.length;
  await inTime(() => reading.mock.calls.length >= before + 3);
  for (const spy of [taking, checking, reading]) spy.mockRestore();
  await inTime(() => said().length === 1);
  expect(said()).toMatchObject([{ tag: 'approval/Worker/q1' }]);
  expect(told.filter((message) => message === 'the log cannot be followed')).toHaveLength(1);
  expect(told).toContain('the log is followed again');
});

test('a relay whose store fails as it starts pushes all the same, once it can', async () => {
  await subscribe();
  vi.spyOn(SqlitePushes.prototype, 'subscribers').mockRejectedValueOnce(disk());
  vi.spyOn(SqlitePushes.prototype, 'origins').mockRejectedValueOnce(disk());
  await world.restart();
  await question('q1');
  await inTime(() => said().length === 1);
  expect(told).toEqual(expect.arrayContaining(['pushes cannot be begun', 'pushes are begun', 'pushes cannot be looked at']));
});
