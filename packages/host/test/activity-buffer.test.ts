import fs, { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentEvent } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ActivityBuffer } from '../src/activity-buffer.ts';

const disk = { writeSync: fs.writeSync, writeFileSync: fs.writeFileSync };

const owner = { sessionId: 's/1', agentId: 'Worker', instanceId: 'i', epoch: 3 };
const line = (text: string): AgentEvent => ({ type: 'output.line', stream: 'stdout', text });
const all = (buffer: ActivityBuffer) => buffer.next(10_000, Number.MAX_SAFE_INTEGER);

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'activity-'));
});
afterEach(() => {
  putDisk(disk);
  rmSync(stateDir, { recursive: true });
});

/** What whoever imports the file system writes with, however long ago it did. */
function putDisk(writes: typeof disk): void {
  Object.assign(fs, writes);
  syncBuiltinESMExports();
}

it('numbers entries from 1 and hands over what is not acknowledged, again and again', () => {
  const buffer = ActivityBuffer.create(stateDir, owner);
  for (const text of ['a', 'b', 'c']) buffer.append(line(text), 5);
  expect(all(buffer).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  buffer.acknowledge(2);
  expect(all(buffer)).toEqual([{ seq: 3, at: 5, event: line('c') }]);
  buffer.close();
});

it('a later process finds what was left, without a last line that was cut short, and goes on counting', () => {
  const first = ActivityBuffer.create(stateDir, owner);
  for (const text of ['a', 'b']) first.append(line(text), 5);
  first.close();
  appendFileSync(join(stateDir, 'activity', 's%2F1.ndjson'), '{"seq":3,"at":5,"ev');
  const [found] = ActivityBuffer.recover(stateDir);
  expect(found?.owner).toEqual(owner);
  found?.append(line('c'), 6);
  found?.close();
  const [again] = ActivityBuffer.recover(stateDir);
  expect(again && all(again).map(({ seq, event }) => [seq, event.type === 'output.line' && event.text])).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
  again?.close();
});

it('a batch respects both limits and is never empty', () => {
  const buffer = ActivityBuffer.create(stateDir, owner);
  for (let n = 0; n < 5; n += 1) buffer.append(line('x'.repeat(1000)), 0);
  expect(buffer.next(2, 100_000)).toHaveLength(2);
  expect(buffer.next(10, 2500)).toHaveLength(2);
  expect(buffer.next(10, 1)).toHaveLength(1);
  buffer.close();
});

it('a full buffer drops what comes next before it gets a number, and says how much', () => {
  const buffer = ActivityBuffer.create(stateDir, owner, { limitBytes: 20_000 });
  for (let n = 0; n < 50; n += 1) buffer.append(line('x'.repeat(1000)), 0);
  const kept = all(buffer).length;
  expect(kept).toBeLessThan(20);
  buffer.append({ type: 'session.ended', reason: 'closed' }, 0);
  const entries = all(buffer);
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  expect(entries.slice(kept).map(({ event }) => event)).toEqual([
    {
      type: 'agent.error',
      code: 'activity_dropped',
      message: `${50 - kept} entries were dropped because the relay was away too long`,
      willRetry: false,
    },
    { type: 'session.ended', reason: 'closed' },
  ]);
  buffer.close();
});

it('a limit is one of bytes on disk, whatever is written', () => {
  const kept = (text: string) => {
    const buffer = ActivityBuffer.create(stateDir, owner, { limitBytes: 60_000 });
    for (let n = 0; n < 100; n += 1) buffer.append(line(text.repeat(1000)), 0);
    const count = all(buffer).length;
    buffer.close();
    expect(statSync(join(stateDir, 'activity', 's%2F1.ndjson')).size).toBeLessThan(60_000);
    buffer.remove();
    return count;
  };
  const [narrow, wide] = [kept('x'), kept('月')];
  expect([narrow > 40, wide > 12, wide < 20]).toEqual([true, true, true]);
});

it('how a question ended is kept also when the buffer is full: people would go on seeing it open', () => {
  const buffer = ActivityBuffer.create(stateDir, owner, { limitBytes: 20_000 });
  for (let n = 0; n < 50; n += 1) buffer.append(line('x'.repeat(1000)), 0);
  const resolved: AgentEvent = { type: 'approval.resolved', approvalId: 'a1', outcome: 'denied', by: 'timeout' };
  buffer.append(resolved, 0);
  expect(all(buffer).at(-1)?.event).toEqual(resolved);
  buffer.close();
});

it('the file does not keep what is acknowledged for ever, and goes when it is removed', () => {
  const buffer = ActivityBuffer.create(stateDir, owner);
  const path = join(stateDir, 'activity', 's%2F1.ndjson');
  for (let n = 0; n < 3000; n += 1) {
    buffer.append(line('x'.repeat(1000)), 0);
    buffer.acknowledge(buffer.lastSeq);
  }
  expect(statSync(path).size).toBeLessThan(1_500_000);
  buffer.remove();
  expect(readdirSync(join(stateDir, 'activity'))).toEqual([]);
});

it('what was handed over is in the file, however soon the process ends, and one turn writes once', () => {
  const buffer = ActivityBuffer.create(stateDir, owner);
  const path = join(stateDir, 'activity', 's%2F1.ndjson');
  const empty = statSync(path).size;
  for (const text of ['a', 'b', 'c']) buffer.append(line(text), 5);
  expect(statSync(path).size).toBe(empty);
  expect(all(buffer)).toHaveLength(3);
  const [found] = ActivityBuffer.recover(stateDir);
  expect(found?.lastSeq).toBe(3);
  found?.close();
  buffer.close();
});

it('what a process of a later version left is handed over, also where this one does not know the words', () => {
  ActivityBuffer.create(stateDir, owner).close();
  const started = { type: 'tool.started', turnId: 't', itemId: 'i', name: 'Browse', kind: 'browse', title: 'example.org' };
  const events = [started, { type: 'turn.paused', turnId: 't' }, line('c')];
  const lines = events.map((event, index) => JSON.stringify({ seq: index + 1, at: 5, event, colour: 'red' }));
  appendFileSync(join(stateDir, 'activity', 's%2F1.ndjson'), `${lines.join('\n')}\n`);
  const [found] = ActivityBuffer.recover(stateDir);
  const paused = { type: 'vendor.event', vendor: 'agent-relay', name: 'turn.paused', data: { turnId: 't' } };
  expect(found && all(found).map(({ event }) => event)).toEqual([started, paused, line('c')]);
  found?.close();
});

it('what cannot be read of an earlier process costs nothing else, is told, and put aside', () => {
  const first = ActivityBuffer.create(stateDir, owner);
  first.append(line('a'), 5);
  first.close();
  const folder = join(stateDir, 'activity');
  appendFileSync(join(folder, 's%2F1.ndjson'), `garbage\n${JSON.stringify({ seq: 2, at: 5, event: line('b') })}\n`);
  writeFileSync(join(folder, 'none.ndjson'), 'garbage');
  mkdirSync(join(folder, 'folder.ndjson'));
  const told: string[] = [];
  const found = ActivityBuffer.recover(stateDir, { onDamage: (path) => told.push(path.slice(folder.length + 1)) });
  expect(found.map((buffer) => all(buffer).map(({ seq }) => seq))).toEqual([[1]]);
  expect(told.sort()).toEqual(['folder.ndjson', 'none.ndjson', 's%2F1.ndjson']);
  for (const buffer of found) buffer.close();
  for (const buffer of ActivityBuffer.recover(stateDir, { onDamage: (path) => expect.fail(path) })) buffer.close();
  expect(readdirSync(folder).sort()).toEqual(['folder.ndjson.damaged', 'none.ndjson.damaged', 's%2F1.ndjson', 's%2F1.ndjson.damaged']);
});

/** The disk is full after so many bytes of what is written next, for so many writes. */
function fillDisk(bytes: number, writes: number): { restore(): void; tried: () => number } {
  const noSpace = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  let [left, tried] = [writes, 0];
  const isFull = () => {
    tried += 1;
    left -= 1;
    return left >= 0;
  };
  const writeSync = ((file: number, data: Buffer | string, from?: number | null) => {
    const added = Buffer.from(data).subarray(from ?? 0);
    if (!isFull()) return disk.writeSync(file, added);
    disk.writeSync(file, added, 0, bytes);
    throw noSpace();
  }) as typeof disk.writeSync; // of its forms those that the buffer uses
  const renew: typeof disk.writeFileSync = (...given) => {
    if (!isFull()) return disk.writeFileSync(...given);
    disk.writeFileSync(given[0], 'half', given[2]);
    throw noSpace();
  };
  putDisk({ writeSync, writeFileSync: renew });
  return { restore: () => putDisk(disk), tried: () => tried };
}

it('what a full disk did not take is in the file once there is room again, in order and without a hole', () => {
  const told: unknown[] = [];
  const buffer = ActivityBuffer.create(stateDir, owner, { onFault: (error) => told.push(error) });
  buffer.append(line('a'), 5);
  all(buffer);
  const full = fillDisk(10, 3);
  for (const text of ['b', 'c', 'd', 'e']) {
    buffer.append(line(text), 5);
    all(buffer);
  }
  expect(told).toHaveLength(1);
  for (let turns = 0; full.tried() < 4; turns += 1) {
    expect(turns).toBeLessThan(100);
    all(buffer);
  }
  buffer.append(line('f'), 5);
  all(buffer);
  full.restore();
  // As after a crash: this one is not closed before.
  const [found] = ActivityBuffer.recover(stateDir, { onDamage: (path) => expect.fail(path) });
  expect(found && all(found).map(({ seq, event }) => `${seq} ${event.type === 'output.line' ? event.text : ''}`)).toEqual([
    '1 a',
    '2 b',
    '3 c',
    '4 d',
    '5 e',
    '6 f',
  ]);
  expect(readdirSync(join(stateDir, 'activity'))).toEqual(['s%2F1.ndjson']);
  found?.close();
  buffer.close();
});

it('a file that could never be made is made before the process ends, however seldom that was tried', () => {
  const full = fillDisk(0, 1_000);
  const buffer = ActivityBuffer.create(stateDir, owner);
  for (let count = 0; count < 40; count += 1) {
    buffer.append(line(String(count)), 5);
    all(buffer);
  }
  expect(full.tried()).toBeLessThan(20);
  full.restore();
  buffer.close();
  expect(ActivityBuffer.recover(stateDir).map((found) => all(found).length)).toEqual([40]);
});
