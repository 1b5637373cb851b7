import { loosely } from 'agent-relay-protocol';
import type { z } from 'zod';

/** Reads a stored record. A later version may have written it, and newer nodes may have told it: words that are new are no reason to hide it. */
export function recordReader<Schema extends z.ZodType>(schema: Schema): (text: string) => z.output<Schema> {
  const stored = loosely(schema);
  return (text) => stored.parse(JSON.parse(text));
}
