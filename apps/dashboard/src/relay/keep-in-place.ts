const nothing: ReadonlySet<string> = new Set();

/**
 * Which rows stay where they are: those that wait, and those that waited beside them. Where one that is answered moved away, the next would
 * come under the pointer of somebody who is about to press. Once nothing waits, nothing has to stay.
 */
export function keepInPlace(kept: ReadonlySet<string>, waiting: readonly string[]): ReadonlySet<string> {
  if (waiting.length === 0) return nothing;
  return waiting.every((key) => kept.has(key)) ? kept : new Set([...kept, ...waiting]);
}
