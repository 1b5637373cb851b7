import { readFileSync, writeFileSync } from 'node:fs';

/** A turn with mail is held to less than the session may do: one that runs, or one that has stopped, perhaps not for good. */
export type NotedHold = 'runs' | 'stopped';

/** Null where none is noted. */
export function holdNotedIn(file: string): NotedHold | null {
  try {
    return readFileSync(file, 'utf8') === 'stopped' ? 'stopped' : 'runs';
  } catch {
    return null;
  }
}

/** @throws where nothing can be written. */
export const noteHold = (file: string, hold: NotedHold): void => writeFileSync(file, hold, { mode: 0o600 });
