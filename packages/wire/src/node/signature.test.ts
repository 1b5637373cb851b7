import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSigned, SIGNATURE_TOLERANCE_MS, signBody } from './signature.ts';

const now = 1_767_225_600_123;
const key = 'a key';
const body = '{"text":"grüezi"}';

test('a signature is the HMAC of the second and the body, however the body is given', () => {
  const digest = createHmac('sha256', key).update(`1767225600.${body}`).digest('hex');
  expect(signBody(body, key, now)).toBe(`t=1767225600,v1=${digest}`);
  expect(signBody(new TextEncoder().encode(body), key, now)).toBe(signBody(body, key, now));
});

test('it holds for a few minutes, before and after, for the same body and key', () => {
  const signature = signBody(body, key, now);
  for (const [offset, holds] of [
    [0, true],
    [SIGNATURE_TOLERANCE_MS - 1_000, true],
    [SIGNATURE_TOLERANCE_MS, false],
    [-SIGNATURE_TOLERANCE_MS, true],
    [-SIGNATURE_TOLERANCE_MS - 1_000, false],
  ] as const)
    expect([offset, isSigned({ body, signature, key, now: now + offset })]).toEqual([offset, holds]);
  expect(isSigned({ body: `${body} `, signature, key, now })).toBe(false);
  expect(isSigned({ body, signature, key: 'another', now })).toBe(false);
  expect(isSigned({ body, signature: signature.replace('t=1767225600', 't=1767225601'), key, now })).toBe(false);
});

test.each([undefined, '', 't=,v1=', `t=1767225600,v1=${'0'.repeat(63)}`, `t=1e12,v1=${'0'.repeat(64)}`, 'v1=00,t=1'])(
  '%j is no signature',
  (signature) => {
    expect(isSigned({ body, signature, key, now })).toBe(false);
  },
);
