import { expect, test } from 'vitest';
import { faultFrom } from './error-codes.ts';

test.each([
  ['serverOverloaded', 'model_overloaded', true],
  ['rateLimitExceeded', 'rate_limited', true],
  ['usageLimitExceeded', 'usage_limit_exceeded', false],
  ['contextWindowExceeded', 'context_window_exceeded', false],
  ['somethingOfNextYear', 'something_of_next_year', false],
  [{ httpConnectionFailed: { httpStatusCode: 401 } }, 'unauthorized', false],
  [{ httpConnectionFailed: { httpStatusCode: null } }, 'http_connection_failed', true],
  [{ responseTooManyFailedAttempts: { httpStatusCode: 429 } }, 'rate_limited', true],
  [undefined, 'other', true],
])('%j is %s', (codexErrorInfo, code, retryable) => {
  expect(faultFrom({ message: 'no', codexErrorInfo })).toEqual({ code, message: 'no', retryable });
});
