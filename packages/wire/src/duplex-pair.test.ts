import { describe, expect, it } from 'vitest';
import { createDuplexPair } from './duplex-pair.ts';
import type { MessageDuplex } from './message-duplex.ts';

async function readAll<T>(duplex: MessageDuplex<T, never>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of duplex.incoming) messages.push(message);
  return messages;
}

describe('createDuplexPair', () => {
  it('carries messages both ways in order, and what was sent before the end arrives', async () => {
    const [left, right] = createDuplexPair<string, number>();
    await left.send(1);
    await left.send(2);
    await right.send('a');
    await left.close({ code: 4000, reason: 'done' });
    expect(await readAll(right)).toEqual([1, 2]);
    expect(await readAll(left)).toEqual(['a']);
    expect(await right.closed).toEqual({ code: 4000, reason: 'done' });
  });

  it('hands over what JSON would carry, so that the sides share no objects', async () => {
    const [left, right] = createDuplexPair<unknown, unknown>();
    const message = { list: [1], gone: undefined };
    await left.send(message);
    message.list.push(2);
    await left.close();
    expect(await readAll(right)).toEqual([{ list: [1] }]);
  });

  it('hands over the object itself when copying is turned off', async () => {
    const [left, right] = createDuplexPair({ copy: false });
    const message = { list: [1] };
    await left.send(message);
    await left.close();
    expect((await readAll(right))[0]).toBe(message);
  });

  it('delivers what was sent in the turn of the close', async () => {
    const [left, right] = createDuplexPair();
    void left.send(1);
    void left.close();
    expect(await readAll(right)).toEqual([1]);
  });

  it('never delivers while the sender is still sending', async () => {
    const [left, right] = createDuplexPair();
    const received: unknown[] = [];
    right.onMessage?.((message) => received.push(message));
    const sending = left.send('x');
    expect(received).toEqual([]);
    await sending;
    await left.close();
    expect(received).toEqual(['x']);
  });

  it('keeps the order of what came before a listener and what comes as it begins', async () => {
    const [left, right] = createDuplexPair();
    await left.send(1);
    const received: unknown[] = [];
    void left.send(2);
    right.onMessage?.((message) => received.push(message));
    await left.send(3);
    await left.close();
    expect(received).toEqual([1, 2, 3]);
  });

  it('gives a listener what came before it and before the end, then resolves `closed`', async () => {
    const [left, right] = createDuplexPair();
    await left.send(1);
    await left.close();
    const log: unknown[] = [];
    right.onMessage?.((message) => log.push(message));
    await right.closed.then(() => log.push('closed'));
    expect(log).toEqual([1, 'closed']);
  });

  it('makes the sender wait for a slow reader, and lets it go on when there is room', async () => {
    const [left, right] = createDuplexPair<string, string>({ highWaterBytes: 1_000 });
    const reader = right.incoming[Symbol.asyncIterator]();
    let sent = 0;
    const sending = (async () => {
      for (; sent < 50; sent += 1) await left.send('x'.repeat(100));
    })();
    while (sent < 5) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(15);
    expect(left.bufferedBytes).toBeGreaterThan(900);
    for (let read = 0; read < 50; read += 1) expect((await reader.next()).value).toHaveLength(100);
    await sending;
    expect([sent, left.bufferedBytes]).toEqual([50, 0]);
  });

  it('rejects sending after the end, on both sides, without an unhandled rejection', async () => {
    const [left, right] = createDuplexPair();
    await right.close();
    void left.send('ignored');
    await expect(left.send('late')).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(right.send('late')).rejects.toMatchObject({ code: 'connection_closed' });
  });

  it('rejects what JSON cannot hold and goes on', async () => {
    const [left, right] = createDuplexPair();
    await expect(left.send(1n)).rejects.toThrow(TypeError);
    await expect(left.send(undefined)).rejects.toThrow(TypeError);
    await left.send('fine');
    await left.close();
    expect(await readAll(right)).toEqual(['fine']);
  });

  it('closes the link when a reader leaves its loop', async () => {
    const [left, right] = createDuplexPair();
    await left.send(1);
    for await (const _message of right.incoming) break;
    expect(await left.closed).toEqual({});
  });

  it('has one reader', async () => {
    const [left] = createDuplexPair();
    left.onMessage?.(() => {});
    expect(() => left.incoming[Symbol.asyncIterator]()).toThrow(TypeError);
    expect(() => left.onMessage?.(() => {})).toThrow(TypeError);
  });
});
