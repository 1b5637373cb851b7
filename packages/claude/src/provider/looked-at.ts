import { dirname, isAbsolute } from 'node:path';
import { pathInside } from 'agent-relay-provider';
import type { ToolInput } from './tool-words.ts';

/** What `Read`, `Grep` or `Glob` would look at outside the folder; null where all that it names lies inside. */
export function lookedAtOutside(name: string, input: ToolInput, folder: string): string | null {
  const paths = [input['file_path'], input['notebook_path'], input['path']];
  // What `Grep` calls a pattern is none of file names.
  const patterns = [name === 'Glob' ? input['pattern'] : undefined, input['glob']];
  return (
    paths.filter(isText).find((path) => isOutside(path, folder)) ?? patterns.filter(isText).find((each) => leadsOut(each, folder)) ?? null
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Claude takes `~` for the home folder, and the system does not. */
const isOutside = (path: string, folder: string): boolean => path.startsWith('~') || pathInside(folder, path) === null;

function leadsOut(pattern: string, folder: string): boolean {
  if (!isAbsolute(pattern)) return pattern.startsWith('~') || pattern.includes('..');
  const beginning = pattern.split(/[*?[\]{}()!]/u, 1)[0] ?? '';
  return pattern.includes('..') || isOutside(beginning === pattern ? pattern : dirname(`${beginning}x`), folder);
}
