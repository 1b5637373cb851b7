import { expect, test } from 'vitest';
import { FrameLog } from './frame-log.ts';

const kept = (log: FrameLog) =>
  Array.from({ length: log.end - log.start }, (_, index) => log.textAt(log.start + index))
    .filter((text) => text !== null)
    .map((text) => JSON.parse(text));

test('what is not confirmed stays, however much it is', () => {
  const log = new FrameLog();
  for (let number = 0; number < 3000; number += 1) log.push({ uuid: `u${number}` });
  expect([kept(log).length, log.isConfirmed, log.lastUuid]).toEqual([3000, false, 'u2999']);
});

test('of what is confirmed the last thousand frames with a uuid stay, and none without', () => {
  const log = new FrameLog();
  for (let number = 0; number < 3000; number += 1) log.push(number % 2 === 0 ? { uuid: `u${number}` } : { type: 'control_request' });
  log.confirm(log.end);
  log.push({ type: 'control_request', request_id: 'late' });
  expect(kept(log).slice(0, 2)).toEqual([{ uuid: 'u2000' }, { uuid: 'u2002' }]);
  expect(kept(log).slice(-2)).toEqual([{ uuid: 'u2998' }, { type: 'control_request', request_id: 'late' }]);
  expect(log.isConfirmed).toBe(false);
});

test('is full with what is not confirmed, and keeps only so much of what is', () => {
  const log = new FrameLog();
  const big = 'x'.repeat(1 << 20);
  for (let number = 0; number < 17; number += 1) log.push({ uuid: `u${number}`, big });
  expect(log.isFull).toBe(true);
  log.confirm(log.end);
  expect([log.isFull, kept(log).length, kept(log)[0]?.uuid]).toEqual([false, 15, 'u2']);
});
