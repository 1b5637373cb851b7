import { expect, test } from 'vitest';
import { readSearchFilter, searchRequest } from './search-filter.ts';

test('an address says what is looked for; what it cannot mean is passed over', () => {
  expect(readSearchFilter({ text: 42, in: 'activity', tool: 'Bash', days: 7, agent: ' ', file: null, other: 1 })).toEqual({
    text: '42',
    in: 'activity',
    tool: 'Bash',
    days: 7,
  });
  expect(readSearchFilter({ in: 'attic', days: 'many' })).toEqual({});
});

test('days become a time, and where nothing is looked for nothing is asked', () => {
  expect(searchRequest({ text: 'a', days: 1 }, 86_400_001)).toEqual({ text: 'a', sinceAt: 1 });
  expect(searchRequest({ agent: 'Lead' }, 0)).toEqual({ agent: 'Lead' });
  expect(searchRequest({ in: 'messages', days: 1 }, 0)).toBe(null);
});
