export type { ErrorBody, ErrorCode, ErrorMeaning, FieldIssue, RelayErrorOptions } from './errors.ts';
export { errorTable, isErrorCode, RelayError, relayErrorFromBody, toRelayError } from './errors.ts';
