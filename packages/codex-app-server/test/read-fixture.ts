import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodexNotification } from '../src/app-server/notifications.ts';

/** The notifications of a recorded turn, of Codex 0.169.0 where the name has no version; see `record-fixtures.ts`. */
export function readFixture(name: string): readonly CodexNotification[] {
  return readLines(name).filter((line): line is CodexNotification => 'method' in line);
}

/** What Codex asked its client during a recorded turn. */
export function readRequests(name: string): readonly CodexNotification[] {
  return readLines(name).flatMap((line) => ('request' in line ? [line.request] : []));
}

function readLines(name: string): readonly (CodexNotification | { readonly request: CodexNotification })[] {
  const text = readFileSync(join(import.meta.dirname, 'fixtures', `${/^\d/u.test(name) ? name : `0.169.0-${name}`}.jsonl`), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
