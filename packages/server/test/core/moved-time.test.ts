import { expect, test } from 'vitest';
import { SteadyClock, type TimeSource } from '../../src/steady-clock.ts';
import { ManualClock } from './manual-clock.ts';
import { anonymous, World } from './world.ts';

const HOUR_MS = 3_600_000;
const STALE_MS = 120_000;

/** A machine that can sleep, be stopped, and have its clock set. */
class Machine implements TimeSource {
  readonly manual = new ManualClock();
  #setByMs = 0;
  #stoodStillMs = 0;

  now = () => 100 * HOUR_MS + this.manual.now() + this.#setByMs + this.#stoodStillMs;
  elapsed = () => this.manual.now() + this.#stoodStillMs;
  schedule: TimeSource['schedule'] = (task, delayMs) => this.manual.schedule(task, delayMs);

  /** The clock is set, or the machine sleeps: nothing runs, and the clock that nobody sets does not count it. */
  setClock(byMs: number): void {
    this.#setByMs += byMs;
  }

  /** The process is stopped: every clock goes on. */
  standStill(forMs: number): void {
    this.#stoodStillMs += forMs;
  }
}

async function open() {
  const machine = new Machine();
  const world = await World.open({ staleTtlMs: STALE_MS }, { clock: new SteadyClock(machine) });
  const as = world.as(anonymous);
  const me = async () => (await world.call['agents/get']({ id: 'worker' }, as)).status;
  await world.register('boss');
  await world.register('worker', { tags: ['work'] });
  const { id } = await world.send('boss', 'tag:work', 'do it', { claimable: true });
  const claim = await world.call['messages/claim']({ id, agentId: 'worker', leaseMs: HOUR_MS }, as);
  /** Lets what the relay does by itself happen. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      machine.manual.advance(Math.min(left, 1_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { machine, world, as, me, claim, pass };
}

test.each([
  ['a machine that slept for two hours', (machine: Machine) => machine.setClock(2 * HOUR_MS)],
  ['a clock that was set back by an hour', (machine: Machine) => machine.setClock(-HOUR_MS)],
  ['a process that was stopped for two hours', (machine: Machine) => machine.standStill(2 * HOUR_MS)],
])('%s: whoever beats within a stale period is there, and holds what it held', async (_what, move) => {
  const { machine, world, as, me, claim, pass } = await open();
  await using _world = world;
  await pass(10_000);
  move(machine);
  await pass(60_000);
  await world.relay.reap();
  expect(await me()).toBe('online');
  await world.call['agents/heartbeat']({ id: 'worker' }, as);
  const { claimId, fence } = claim;
  await world.call['claims/renew']({ id: claimId, fence }, as);
  await pass(STALE_MS - 10_000);
  await world.relay.reap();
  expect([await me(), (await world.call['claims/get']({ id: claimId }, as)).status]).toEqual(['online', 'held']);
  expect(await world.call['claims/complete']({ id: claimId, fence }, as)).toMatchObject({ status: 'completed' });
});

test.each([
  ['forward', 2 * HOUR_MS],
  ['back', -HOUR_MS],
])('a clock that was set %s: whoever stays silent is offline after a stale period and not later', async (_way, byMs) => {
  const { machine, world, me, pass } = await open();
  await using _world = world;
  await pass(10_000);
  machine.setClock(byMs);
  await pass(STALE_MS + 30_000);
  await world.relay.reap();
  expect(await me()).toBe('offline');
});

test('small corrections are followed at once, and time only stands still for as long as the move is being told', async () => {
  const machine = new Machine();
  const clock = new SteadyClock(machine);
  const moves: number[] = [];
  clock.onMoved(async (byMs) => void moves.push(byMs));
  const before = clock.now();
  machine.setClock(2_000);
  expect(clock.now() - before).toBe(2_000);
  machine.setClock(HOUR_MS);
  expect(clock.now() - before).toBe(2_000);
  machine.manual.advance(10);
  await new Promise((resolve) => setImmediate(resolve));
  expect([clock.now() - before, moves]).toEqual([2_010 + HOUR_MS, [HOUR_MS]]);
  clock.close();
});
