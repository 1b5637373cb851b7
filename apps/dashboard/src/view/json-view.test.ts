import { expect, test } from 'vitest';
import { percentOf, progressLine } from './json-view.tsx';

test('progress that says a percentage is told as one, with its words', () => {
  expect(progressLine({ percent: 40, note: 'rolling back' })).toBe('40 % · rolling back');
  expect(progressLine(12.4)).toBe('12 %');
  expect(progressLine({ progress: 5, step: 2 })).toBe('5 % · step: 2');
  expect(progressLine('waiting')).toBe('waiting');
});

test('what is no percentage is told as it was said', () => {
  expect([percentOf(4711), percentOf(-1), percentOf(['a']), percentOf(null)]).toEqual([null, null, null, null]);
  expect(progressLine({ step: 'two' })).toBe('{"step":"two"}');
});
