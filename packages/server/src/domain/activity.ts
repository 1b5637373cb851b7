import { RelayError } from 'agent-relay-protocol';

/** Activity has one sequence for each session, without a gap. @throws RelayError `validation_failed` naming the first entry behind one. */
export function assertNoGap(acked: number, entries: readonly { readonly seq: number }[]): void {
  for (const [index, { seq }] of entries.entries()) {
    const expected = acked + index + 1;
    if (seq === expected) continue;
    const issues = [{ path: `entries.${index}.seq`, message: `is ${seq} where ${expected} follows` }];
    throw new RelayError('validation_failed', 'The activity has a gap', { issues, details: { ackedSeq: acked } });
  }
}
