import { describe, expect, it } from 'vitest';
import { encodeSseEvent, parseSseStream, type SseEvent } from './sse.ts';

function streamOf(...pieces: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece);
      controller.close();
    },
  });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for await (const event of parseSseStream(stream)) events.push(event);
  return events;
}

describe('encodeSseEvent', () => {
  it('writes each line of the data as a field of its own', () => {
    expect(encodeSseEvent({ id: 7, event: 'message.new', data: 'one\ntwo\r\nthree' })).toBe(
      'id: 7\nevent: message.new\ndata: one\ndata: two\ndata: three\n\n',
    );
  });

  it('writes a comment without an event, for a heartbeat', () => {
    expect(encodeSseEvent({ comment: 'still here' })).toBe(': still here\n\n');
  });

  it('refuses an id or event name that would forge further fields', () => {
    expect(() => encodeSseEvent({ id: '1\ndata: forged', data: 'x' })).toThrow(
      expect.objectContaining({ code: 'validation_failed', issues: [{ path: 'id', message: 'holds a line break' }] }),
    );
    expect(() => encodeSseEvent({ event: 'a\rb', data: 'x' })).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it.each(['', 'plain', 'two\nlines', '\nleading and trailing\n', ' leading space', 'a: b', '日本語 🙂'])(
    'is read back as it was written: %j',
    async (data) => {
      expect(await readAll(streamOf(encodeSseEvent({ id: 'a', event: 'e', data })))).toEqual([{ id: 'a', event: 'e', data }]);
    },
  );

  it('reads a carriage return in the data back as a line feed, which the format cannot tell apart', async () => {
    expect(await readAll(streamOf(encodeSseEvent({ data: 'a\rb\r\nc' })))).toEqual([{ data: 'a\nb\nc' }]);
  });
});

describe('parseSseStream', () => {
  it('reads events that come one byte at a time, multi-byte characters and CRLF included', async () => {
    const bytes = new TextEncoder().encode('id: 1\r\ndata: grüße 🙂\r\ndata: zwei\r\n\r\ndata: next\r\n\r\n');
    const events = await readAll(streamOf(...Array.from(bytes, (byte) => new Uint8Array([byte]))));
    expect(events.map(({ data }) => data)).toEqual(['grüße 🙂\nzwei', 'next']);
    expect(events[0]?.id).toBe('1');
  });

  it('tells of comments and gives the reconnection time with the next event', async () => {
    const comments: string[] = [];
    const events: SseEvent[] = [];
    for await (const event of parseSseStream(streamOf(': ping\n\nretry: 1500\n\ndata: a\n\ndata: b\n\n'), {
      onComment: (comment) => comments.push(comment),
    })) {
      events.push(event);
    }
    expect(events).toEqual([{ data: 'a', retry: 1500 }, { data: 'b' }]);
    expect(comments).toEqual(['ping']);
  });

  it('does not deliver an event cut off by the end of the stream', async () => {
    expect(await readAll(streamOf('data: whole\n\ndata: cut'))).toEqual([{ data: 'whole' }]);
  });

  it('ends with `payload_too_large` when one event is longer than allowed', async () => {
    const events = parseSseStream(streamOf('data: fine\n\n', `data: ${'x'.repeat(5_000)}`), { maxEventLength: 1_000 });
    expect(await events.next()).toEqual({ done: false, value: { data: 'fine' } });
    await expect(events.next()).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('cancels the stream and throws the reason when the signal aborts while it waits', async () => {
    let cancelledWith: unknown;
    const silent = new ReadableStream<Uint8Array>({
      cancel(reason) {
        cancelledWith = reason;
      },
    });
    const controller = new AbortController();
    const next = parseSseStream(silent, { signal: controller.signal }).next();
    controller.abort('enough');
    await expect(next).rejects.toBe('enough');
    expect(cancelledWith).toBe('enough');
  });

  it('reads nothing when the signal has aborted already', async () => {
    await expect(parseSseStream(streamOf('data: a\n\n'), { signal: AbortSignal.abort('before') }).next()).rejects.toBe('before');
  });

  it('cancels the stream when the reader leaves, also one that is waiting', async () => {
    let cancels = 0;
    const open = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode('data: a\n\n')),
        cancel: () => {
          cancels += 1;
        },
      });
    for await (const _event of parseSseStream(open())) break;
    const waiting = parseSseStream(open());
    await waiting.next();
    const next = waiting.next();
    await waiting.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(cancels).toBe(2);
  });

  it('throws what the stream fails with', async () => {
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('reset')) });
    await expect(parseSseStream(broken).next()).rejects.toThrow('reset');
  });
});
