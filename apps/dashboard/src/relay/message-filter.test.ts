import { expect, test } from 'vitest';
import { fitsMessage, readMessageSearch } from './message-filter.ts';

test('an address that says something else is read as no filter', () => {
  expect(readMessageSearch({ from: '', channel: 7, work: 'yes', more: 1 })).toEqual({ channel: '7' });
  expect(readMessageSearch({ from: 'Worker', work: true, state: 'failed' })).toEqual({ from: 'Worker', work: true, state: 'failed' });
  expect(readMessageSearch({ state: 'lost' })).toEqual({});
});

test('a message fits when it fits every part of the filter', () => {
  const message = { from: 'Worker', channel: 'deploy', claimable: false };
  expect(
    [
      {},
      { from: 'Worker' },
      { from: 'Lead' },
      { channel: 'deploy' },
      { channel: 'x' },
      { work: true as const },
      { state: 'failed' as const },
    ].map((filter) => fitsMessage(message, filter)),
  ).toEqual([true, true, false, true, false, false, false]);
});
