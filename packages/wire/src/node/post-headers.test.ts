import { expect, test } from 'vitest';
import { postHeaders } from './post-headers.ts';
import { isSigned, SIGNATURE_HEADER } from './signature.ts';

test('each attempt is signed with its own time, and all attempts at a body have one key', () => {
  const attempt = (body: string, now: number) => postHeaders({ body, key: 'a key', now, userAgent: 'a program/1' });
  const [first, second] = [attempt('{"a":1}', 1e12), attempt('{"a":1}', 1e12 + 600_000)];
  expect(first).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'a program/1' });
  expect(second['idempotency-key']).toBe(first['idempotency-key']);
  expect(attempt('{"a":2}', 1e12)['idempotency-key']).not.toBe(first['idempotency-key']);
  const holds = (headers: typeof first, now: number) =>
    isSigned({ body: '{"a":1}', signature: headers[SIGNATURE_HEADER], key: 'a key', now });
  expect([holds(first, 1e12), holds(first, 1e12 + 600_000), holds(second, 1e12 + 600_000)]).toEqual([true, false, true]);
});
