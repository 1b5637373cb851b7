import { RelayError } from 'agent-relay-protocol';

/** What one action of a tool cannot do without, and others have no use for. @throws RelayError `validation_failed` naming the field. */
export function given<Value>(value: Value | undefined, field: string): Value {
  if (value !== undefined) return value;
  const message = 'This action needs it';
  throw new RelayError('validation_failed', `${field}: ${message}`, { issues: [{ path: field, message }] });
}
