import { expect, test } from 'vitest';
import { ResultFrame } from '../stream-json/message-frames.ts';
import { faultFrom } from './error-codes.ts';

test('why a turn failed is told in whatever words Claude has for it', () => {
  const result = ResultFrame.parse({
    type: 'result',
    subtype: 'error_during_execution',
    is_error: true,
    errors: ['late', { toString: 1 }],
  });
  expect(faultFrom(result, null)).toEqual({ code: 'during_execution', message: 'late\n{"toString":1}', retryable: false });
});
