import { expect, test } from 'vitest';
import { fitsMessage, readMessageSearch } from './message-filter.ts';

test('an address that says something else is read as no filter', () => {
  expect(readMessageSearch({ from: '', channel: 7, work: 'yes', more: 1 })).toEqual({ channel: '7' });
  expect(readMessageSearch({ from: 'Worker', work: true, state: 'failed' })).toEqual({ from: 'Worker', work: true, state: 'failed' });
  expect(readMessageSearch({ from: 'Worker', to: 'id:Lead' })).toEqual({ from: 'Worker', to: 'id:Lead' });
  expect(readMessageSearch({ state: 'lost', deadLetter: 'yes' })).toEqual({});
  expect(readMessageSearch({ deadLetter: true })).toEqual({ deadLetter: true });
});

test('a message fits when it fits every part of the filter', () => {
  const message = { from: 'Worker', to: 'id:Lead', channel: 'deploy', claimable: false };
  expect(
    [
      {},
      { from: 'Worker' },
      { from: 'Lead' },
      { from: 'Worker', to: 'id:Lead' },
      { from: 'Worker', to: 'id:Tester' },
      { channel: 'deploy' },
      { channel: 'x' },
      { work: true as const },
      { state: 'failed' as const },
      { deadLetter: true as const },
    ].map((filter) => fitsMessage(message, filter)),
  ).toEqual([true, true, false, true, false, true, false, false, false, false]);
});
