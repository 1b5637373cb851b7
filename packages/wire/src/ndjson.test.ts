import { describe, expect, it } from 'vitest';
import { LineDecoder } from './line-decoder.ts';
import { decodeNdjson, encodeNdjson, type NdjsonItem } from './ndjson.ts';

async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}

async function readAll(source: AsyncIterable<string | Uint8Array>, maxLineBytes?: number): Promise<NdjsonItem[]> {
  const items: NdjsonItem[] = [];
  for await (const item of decodeNdjson(source, { maxLineBytes })) items.push(item);
  return items;
}

const bytesOf = (text: string): Uint8Array[] => Array.from(new TextEncoder().encode(text), (byte) => new Uint8Array([byte]));

describe('decodeNdjson', () => {
  it('reads lines, characters and CRLF split anywhere', async () => {
    const text = `${encodeNdjson({ text: 'grüße 🙂' })}{"b":2}\r\n\r\n\n[3]`;
    expect(await readAll(pieces(...bytesOf(text)))).toEqual([{ message: { text: 'grüße 🙂' } }, { message: { b: 2 } }, { message: [3] }]);
  });

  it('reads many lines from one piece', async () => {
    expect(await readAll(pieces('1\n2\n', '3\n'))).toEqual([{ message: 1 }, { message: 2 }, { message: 3 }]);
  });

  it('does not take U+2028 for a line break', async () => {
    expect(await readAll(pieces('"a\u2028b"\n'))).toEqual([{ message: 'a\u2028b' }]);
  });

  it('reports a line that is no JSON and goes on', async () => {
    const items = await readAll(pieces('Loading...\n{"a":1}\n{"cut":'));
    expect(items).toEqual([
      { malformed: 'Loading...', error: expect.objectContaining({ code: 'parse_error' }) },
      { message: { a: 1 } },
      { malformed: '{"cut":', error: expect.objectContaining({ code: 'parse_error' }) },
    ]);
  });

  it('reports a line that is too long once, without keeping it, and goes on', async () => {
    const long = `"${'x'.repeat(100)}"`;
    const items = await readAll(pieces('1\n', long.slice(0, 50), long.slice(50), '\n2\n'), 20);
    expect(items).toEqual([
      { message: 1 },
      { malformed: `"${'x'.repeat(19)}`, error: expect.objectContaining({ code: 'payload_too_large' }) },
      { message: 2 },
    ]);
  });

  it('accepts a line of exactly the longest length, with either line ending', async () => {
    expect(await readAll(pieces('12345\r\n12345\n123456\n123456\r\n'), 5)).toEqual([
      { message: 12345 },
      { message: 12345 },
      { malformed: '12345', error: expect.objectContaining({ code: 'payload_too_large' }) },
      { malformed: '12345', error: expect.objectContaining({ code: 'payload_too_large' }) },
    ]);
  });
});

describe('LineDecoder', () => {
  it('holds no more of an endless line than its limit', () => {
    const decoder = new LineDecoder({ maxLineBytes: 1_000 });
    const reports = Array.from({ length: 1_000 }, () => decoder.push('x'.repeat(1_000))).flat();
    expect(reports).toEqual([{ text: 'x'.repeat(1_000), isTooLong: true }]);
    expect(decoder.push('tail\nnext\n')).toEqual([{ text: 'next', isTooLong: false }]);
  });

  it('gives the last line without a line break at the end, and nothing after a complete one', () => {
    const decoder = new LineDecoder();
    expect(decoder.push('a\nb')).toEqual([{ text: 'a', isTooLong: false }]);
    expect(decoder.end()).toEqual([{ text: 'b', isTooLong: false }]);
    expect(decoder.end()).toEqual([]);
  });
});

describe('encodeNdjson', () => {
  it('writes one line whatever the text holds', () => {
    expect(encodeNdjson({ a: 'x\ny' })).toBe('{"a":"x\\ny"}\n');
  });

  it('throws for what JSON cannot hold', () => {
    expect(() => encodeNdjson(undefined)).toThrow(TypeError);
    expect(() => encodeNdjson(1n)).toThrow(TypeError);
  });
});
