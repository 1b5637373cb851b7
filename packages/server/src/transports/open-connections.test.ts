import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { OpenConnections } from './open-connections.ts';

const MB = 1_000_000;

/** A connection over a kernel that takes what it is told to. */
class Connection extends Writable {
  readonly bytesRead = 0;
  #room = 0;
  #inHand: { readonly bytes: number; readonly done: () => void } | null = null;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#hand(chunk.length, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#hand(
      chunks.reduce((sum, { chunk }) => sum + chunk.length, 0),
      done,
    );
  }

  /** As in the kernel, a write is done when all of it has been taken. */
  take(bytes: number): void {
    this.#room += bytes;
    this.#go();
  }

  #hand(bytes: number, done: () => void): void {
    this.#inHand = { bytes, done };
    this.#go();
  }

  #go(): void {
    const write = this.#inHand;
    if (!write || write.bytes > this.#room) return;
    this.#room -= write.bytes;
    this.#inHand = null;
    setImmediate(write.done);
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

function openWith(maxLyingBytes: number, count: number) {
  const server = new EventEmitter();
  const time = { nowMs: 0 };
  const open = new OpenConnections(server, { log: silentLogger, maxLyingBytes, elapsedMs: () => time.nowMs });
  const connections = Array.from({ length: count }, () => new Connection());
  for (const connection of connections) server.emit('connection', connection);
  /** So many looks, a quarter of a second apart. */
  const pass = async (looks: number) => {
    for (let look = 0; look < looks; look += 1) {
      time.nowMs += 250;
      vi.advanceTimersByTime(250);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { open, connections, pass };
}

const lyingIn = (connections: readonly Connection[]) =>
  connections.reduce((sum, { destroyed, writableLength }) => sum + (destroyed ? 0 : writableLength), 0);

test('a reader of 100 KB a second stays while those end that take nothing, until no more lies than may', async () => {
  const { open, connections, pass } = openWith(20 * MB, 5);
  const idle = connections.slice(0, -1);
  const reading = connections.at(-1);
  for (const connection of connections) connection.write(Buffer.alloc(8 * MB));
  for (let seconds = 0; seconds < 36; seconds += 12) {
    await pass(48);
    reading?.take(1.2 * MB);
  }
  open.close();
  expect([reading?.destroyed, idle.filter(({ destroyed }) => destroyed).length, lyingIn(connections)]).toEqual([false, 3, 16 * MB]);
});

test('who holds little does not end for another that holds much', async () => {
  const { open, connections, pass } = openWith(20 * MB, 4);
  const [little, ...much] = connections;
  for (const connection of much) open.belongsTo(connection as never, () => 'anonymous');
  little?.write(Buffer.alloc(4 * MB));
  await pass(8);
  for (const connection of much) connection.write(Buffer.alloc(8 * MB));
  await pass(100);
  open.close();
  expect([little?.destroyed, much.filter(({ destroyed }) => destroyed).length, lyingIn(connections)]).toEqual([false, 1, 20 * MB]);
});
