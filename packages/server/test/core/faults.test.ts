import { RelayError } from 'agent-relay-protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { SqliteLog } from '../../src/store/sqlite/log.ts';
import { anonymous, collect, until, World } from './world.ts';

/** Nothing else wakes who waits. */
const unswept = { staleTtlMs: 2_000_000_000, reapIntervalMs: 2_000_000_000 };
const disk = () => new RelayError('store_unavailable', 'the disk');
afterEach(() => void vi.restoreAllMocks());

/** A log that remembers what it was told. */
function toldLog() {
  const told: string[] = [];
  const note = (message: string) => void told.push(message);
  return { told, log: { ...silentLogger, error: note, info: note, warn: note } };
}

test('live readers get what could not be read for a while, with nothing more written, and the log is told once', async () => {
  const { told, log } = toldLog();
  await using world = await World.open(unswept, { log });
  await world.register('a');
  const seen: number[] = [];
  const { batches } = await world.relay.openEvents({}, world.as(anonymous));
  void (async () => {
    for await (const batch of batches) if ('events' in batch) seen.push(...batch.events.map(({ seq }) => seq));
  })();
  await world.send('cron', 'a');
  await until(() => seen.length > 0);
  const reading = vi.spyOn(world.relay.core.store.log, 'read').mockRejectedValue(disk());
  for (let count = 0; count < 3; count += 1) await world.send('cron', 'a');
  await until(() => reading.mock.calls.length >= 3);
  reading.mockRestore();
  await until(() => {
    world.clock.advance(1_000);
    return seen.at(-1) === world.head;
  });
  expect(told.filter((message) => message.includes('for live readers'))).toEqual([
    'the log could not be read for live readers',
    'the log is read for live readers again',
  ]);
});

test('mail that could not be read when its agent came for it is handed over once it can be', async () => {
  const { told, log } = toldLog();
  await using world = await World.open(unswept, { log });
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  const reading = vi.spyOn(world.relay.core.store.deliveries, 'waiting').mockRejectedValue(disk());
  const { batches } = await world.relay.openInbox({ id: 'a' }, world.as(anonymous));
  const mail = collect(batches);
  await until(() => reading.mock.calls.length > 0);
  reading.mockRestore();
  await until(() => {
    world.clock.advance(1_000);
    return mail.ids.length > 0;
  });
  expect(mail.ids).toEqual([id]);
  expect(told).toContain('waiting mail cannot be read');
});

test("the relay's hooks go on after a log that could not be read when it started", async () => {
  const { told, log } = toldLog();
  const reading = vi.spyOn(SqliteLog.prototype, 'read').mockRejectedValue(disk());
  const hook = { name: 'tell', agents: 'relay', trigger: 'message_received', action: { type: 'relay', relay: 'Auditor' } } as const;
  await using world = await World.open(unswept, { log, hooksFile: { current: [hook], state: { file: null, fault: null } } });
  for (const id of ['Worker', 'Auditor']) await world.register(id);
  await until(() => told.includes('the log cannot be followed'));
  reading.mockRestore();
  await world.send('cron', 'Worker', 'hello');
  await until(async () => {
    world.clock.advance(1_000);
    return (await world.poll('Auditor')).length > 0;
  });
  expect(told).toContain('the log is followed again');
});
