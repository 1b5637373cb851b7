import { describe, expect, it } from 'vitest';
import { AsyncQueue } from './async-queue.ts';

async function readAll<T>(queue: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

describe('AsyncQueue', () => {
  it('hands items over in order, those pushed before and those pushed while the reader waits', async () => {
    const queue = new AsyncQueue<number>({ limit: 10, overflow: 'reject' });
    queue.push(1);
    queue.push(2);
    const reading = readAll(queue);
    await Promise.resolve();
    queue.push(3);
    queue.end();
    expect(await reading).toEqual([1, 2, 3]);
  });

  it('keeps order over thousands of items, also while they are being taken', async () => {
    const queue = new AsyncQueue<number>({ limit: 100_000, overflow: 'reject' });
    const read: number[] = [];
    for (let item = 0; item < 20_000; item += 1) {
      queue.push(item);
      if (item % 3 === 0) read.push((await queue.next()).value ?? -1);
    }
    queue.end();
    read.push(...(await readAll(queue)));
    expect(read).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  });

  it('refuses what does not fit under `reject` and keeps what it has', async () => {
    const queue = new AsyncQueue<string>({ limit: 2, overflow: 'reject' });
    expect([queue.push('a'), queue.push('b'), queue.push('c')]).toEqual([true, true, false]);
    expect(queue.size).toBe(2);
    queue.end();
    expect(await readAll(queue)).toEqual(['a', 'b']);
  });

  it('forgets the oldest under `drop-oldest` and counts it', async () => {
    const queue = new AsyncQueue<string>({ limit: 2, overflow: 'drop-oldest' });
    for (const item of ['a', 'b', 'c', 'd']) expect(queue.push(item)).toBe(true);
    expect([queue.dropped, queue.size]).toEqual([2, 2]);
    queue.end();
    expect(await readAll(queue)).toEqual(['c', 'd']);
  });

  it('fails with `overloaded` under `error`, after what it still holds', async () => {
    const queue = new AsyncQueue<string>({ limit: 1, overflow: 'error' });
    queue.push('a');
    expect(queue.push('b')).toBe(false);
    expect(await queue.next()).toEqual({ done: false, value: 'a' });
    await expect(queue.next()).rejects.toMatchObject({ code: 'overloaded' });
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('asks a pausable source to pause once and to resume at half of the limit', async () => {
    const calls: string[] = [];
    const queue = new AsyncQueue<number>({
      limit: 4,
      overflow: 'backpressure',
      onFull: () => calls.push('full'),
      onRoom: () => calls.push('room'),
    });
    for (let item = 1; item <= 6; item += 1) expect(queue.push(item)).toBe(true);
    expect(calls).toEqual(['full']);
    for (let taken = 0; taken < 3; taken += 1) await queue.next();
    expect(calls).toEqual(['full']);
    await queue.next();
    expect(calls).toEqual(['full', 'room']);
  });

  it('counts weights, and takes an item heavier than the limit when it is empty', () => {
    const queue = new AsyncQueue<string>({ limit: 10, overflow: 'reject' });
    expect(queue.push('huge', 50)).toBe(true);
    expect(queue.push('small', 1)).toBe(false);
    expect([queue.size, queue.weight]).toEqual([1, 50]);
    expect(queue.take()).toBe('huge');
    expect([queue.push('small', 1), queue.weight]).toEqual([true, 1]);
  });

  it('rejects a reader whose signal has aborted already, without taking an item', async () => {
    const queue = new AsyncQueue<number>({ limit: 1, overflow: 'reject' });
    queue.push(1);
    await expect(queue.next({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(await queue.next()).toEqual({ done: false, value: 1 });
  });

  it('rejects a waiting reader whose signal aborts, and gives the next item to the next reader', async () => {
    const queue = new AsyncQueue<number>({ limit: 1, overflow: 'reject' });
    const controller = new AbortController();
    const aborted = queue.next({ signal: controller.signal });
    const patient = queue.next();
    controller.abort('gone');
    await expect(aborted).rejects.toBe('gone');
    queue.push(7);
    expect(await patient).toEqual({ done: false, value: 7 });
  });

  it('no longer listens to a signal once the item has come', async () => {
    const queue = new AsyncQueue<number>({ limit: 1, overflow: 'reject' });
    const controller = new AbortController();
    const next = queue.next({ signal: controller.signal });
    queue.push(1);
    const afterwards = queue.next();
    controller.abort('late');
    expect(await next).toEqual({ done: false, value: 1 });
    queue.push(2);
    expect(await afterwards).toEqual({ done: false, value: 2 });
  });

  it('throws its failure once, to the first reader, and ends for the others', async () => {
    const queue = new AsyncQueue<number>({ limit: 1, overflow: 'reject' });
    const first = queue.next();
    const second = queue.next();
    queue.fail(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    expect(await second).toEqual({ done: true, value: undefined });
    expect(queue.push(1)).toBe(false);
  });

  it('is ended by a reader who leaves, who may also do so while another waits', async () => {
    let returns = 0;
    const queue = new AsyncQueue<number>({
      limit: 5,
      overflow: 'reject',
      onReturn: () => {
        returns += 1;
      },
    });
    queue.push(1);
    queue.push(2);
    for await (const item of queue) if (item === 1) break;
    expect([queue.push(3), queue.size, returns]).toEqual([false, 0, 1]);

    const other = new AsyncQueue<number>({ limit: 5, overflow: 'reject' });
    const waiting = other.next();
    await other.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});
