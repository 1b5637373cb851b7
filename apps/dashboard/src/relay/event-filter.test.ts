import { expect, test } from 'vitest';
import { readEventFilter } from './event-filter.ts';

test('an address says which part of the log is wanted; what it cannot mean is passed over', () => {
  expect(readEventFilter({ type: 'message', agent: 7, channel: '#deploy', after: 0 })).toEqual({
    type: 'message',
    agent: '7',
    channel: 'deploy',
    after: 0,
  });
  expect(readEventFilter({ type: ' ', after: -1, agent: null })).toEqual({});
});
