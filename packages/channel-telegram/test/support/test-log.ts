import type { Log } from 'agent-relay-wire';
import { createLogger } from '../../src/logger.ts';

/** A log that a test can read. */
export function testLog(secrets: readonly string[] = []): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger({ level: 'debug', secrets, write: (line) => lines.push(line) }), lines };
}
