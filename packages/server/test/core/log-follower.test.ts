import type { RelayEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { EventBatch } from '../../src/events/event-stream.ts';
import { LogFollower } from '../../src/events/log-follower.ts';
import { silentLogger } from '../../src/logger.ts';
import { ManualClock } from './manual-clock.ts';
import { until } from './world.ts';

/** A log of so many entries that is followed, and what the follower did with it. */
class FollowedLog implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly opened: (number | undefined)[] = [];
  readonly taken: number[] = [];
  readonly told: string[] = [];
  head = 3;
  /** Why the log cannot be read. */
  fault: Error | null = null;
  reset = false;
  isStoreWell = true;
  onTake: (seq: number) => void = () => {};
  readonly follower = new LogFollower({
    follower: 'somebody',
    open: (after, signal) => this.#open(after, signal),
    taker: () => async (event) => {
      this.onTake(event.seq);
      this.taken.push(event.seq);
    },
    check: async () => (this.isStoreWell ? null : 'ill'),
    clock: this.clock,
    log: { ...silentLogger, error: (message) => this.told.push(message), info: (message) => this.told.push(message) },
  });

  #open(after: number | undefined, signal: AbortSignal) {
    this.opened.push(after);
    return { cursor: after ?? this.head, generation: 'g', batches: this.#read(after ?? this.head, signal) };
  }

  async *#read(after: number, signal: AbortSignal): AsyncGenerator<EventBatch> {
    if (this.reset) {
      this.reset = false;
      yield { reset: { reason: 'pruned', oldest: 1, head: this.head, generation: 'g' } };
      return;
    }
    for (let position = after; !signal.aborted; ) {
      if (this.fault !== null) throw this.fault;
      const events = Array.from({ length: this.head - position }, (_, index) => ({ seq: position + index + 1 }) as RelayEvent); // only its number is looked at
      position = this.head;
      if (events.length > 0) yield { events };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets the next pause end. */
  async goOn(): Promise<void> {
    const before = this.opened.length;
    await until(() => {
      this.clock.advance(30_000);
      return this.opened.length > before;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follower.close();
  }
}

test('a log that cannot be read is followed again from where it was left, later each time, and its reader is told twice', async () => {
  await using log = new FollowedLog();
  log.follower.start(1);
  await until(() => log.taken.length === 2);
  log.fault = new Error('the disk');
  await until(() => log.told.length === 1);
  const pauses: number[] = [];
  for (let tries = 0; tries < 9; tries += 1) {
    const [before, at] = [log.opened.length, log.clock.now()];
    await until(() => {
      log.clock.advance(50);
      return log.opened.length > before;
    });
    pauses.push(log.clock.now() - at);
  }
  // The nth is between half of its step and the whole.
  for (const [index, pause] of pauses.entries()) {
    const step = Math.min(30_000, 500 * 2 ** index);
    expect([index, pause >= step / 2, pause <= step + 100]).toEqual([index, true, true]);
  }
  log.head = 5;
  log.fault = null;
  await log.goOn();
  await until(() => log.taken.length === 4);
  expect(log.taken).toEqual([2, 3, 4, 5]);
  expect(log.told).toEqual(['the log cannot be followed', 'the log is followed again']);
  expect(new Set(log.opened.slice(1))).toEqual(new Set([3]));
});

test('what cannot be taken while the store is ill is taken once it is well, however long that lasts, and nothing twice', async () => {
  await using log = new FollowedLog();
  log.isStoreWell = false;
  log.onTake = (seq) => {
    if (seq === 2 && !log.isStoreWell) throw new Error('the disk');
  };
  log.follower.start(0);
  await until(() => log.told.length === 1);
  for (let tries = 0; tries < 20; tries += 1) await log.goOn();
  log.isStoreWell = true;
  await log.goOn();
  await until(() => log.taken.length === 3);
  expect(log.taken).toEqual([1, 2, 3]);
});

test('an entry that always fails keeps nothing that follows it: it is passed over, and that is told', async () => {
  await using log = new FollowedLog();
  log.onTake = (seq) => {
    if (seq === 2) throw new TypeError('a fault of ours');
  };
  log.follower.start(0);
  await until(() => log.told.length === 1);
  await log.goOn();
  await log.goOn();
  await until(() => log.taken.length === 2);
  expect(log.taken).toEqual([1, 3]);
  expect(log.told).toEqual(['the log cannot be followed', 'an entry of the log is passed over', 'the log is followed again']);
});

test('a log that cannot be continued is followed from now on', async () => {
  await using log = new FollowedLog();
  log.reset = true;
  log.follower.start(1);
  await until(() => log.opened.length === 2);
  log.head = 4;
  await until(() => log.taken.length === 1);
  expect([log.opened, log.taken]).toEqual([[1, undefined], [4]]);
});

test('a follower that is closed while it waits tries nothing more', async () => {
  const log = new FollowedLog();
  log.fault = new Error('the disk');
  log.follower.start(0);
  await until(() => log.told.length === 1);
  await log.follower.close();
  log.clock.advance(3_600_000);
  expect(log.opened).toHaveLength(1);
});
