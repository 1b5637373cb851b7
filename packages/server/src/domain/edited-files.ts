import type { Approval } from 'agent-relay-protocol';
import { plainPath } from './file-pattern.ts';

/** What an approval keeps of them rides in the log. */
const LONGEST = 16 * 1024;
const pathFields =
  /^(?:(?:file|notebook|new|old|target|destination|source)?_?(?:path|file|filename)s?|(?:moved?_?to)|uri|target|destination|source)$/iu;
const holdsMore = /^(?:changes|edits|files|locations|args|arguments|input|params)$/iu;
/** Systems end a path at NUL and pass over what is not seen; `~` and schemes are a tool's own business. */
const isUntold = /[\p{Cc}\p{Cf}]|^~|^[a-z][a-z\d+.-]+:\/\//iu;

/** Every file that a question names which may change files, absolute and without `.` and `..`; null where that cannot be told. */
export function editedFiles({ kind, cwd, input }: Pick<Approval, 'kind' | 'cwd' | 'input'>): string[] | null {
  if (kind !== 'edit' && kind !== 'other') return null;
  const named = namedIn(input, 0);
  const files = named.map((path) => (typeof path === 'string' ? absolute(path, cwd) : null));
  const told = [...new Set(files.filter((file) => file !== null))];
  return told.length === 0 || files.includes(null) || JSON.stringify(told).length > LONGEST ? null : told;
}

function absolute(path: string, cwd: string | undefined): string | null {
  if (path === '' || isUntold.test(path)) return null;
  const whole = path.startsWith('/') ? path : `${cwd ?? ''}/${path}`;
  return whole.startsWith('/') && (path.startsWith('/') || cwd !== undefined) ? plainPath(whole) : null;
}

/** What stands where tools name their files; anything but text there is a file that nobody knows. */
function namedIn(value: unknown, depth: number): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (depth > 4) return [null];
  if (Array.isArray(value)) return value.flatMap((each) => namedIn(each, depth + 1));
  return Object.entries(value).flatMap(([name, held]: [string, unknown]) => {
    if (held === null || held === undefined) return [];
    if (/^(?:changes|edits|files)$/iu.test(name) && !Array.isArray(held) && typeof held === 'object')
      return [...Object.keys(held), ...namedIn(Object.values(held), depth + 1)];
    if (holdsMore.test(name) && isAllText(held)) return /files/iu.test(name) ? held : [];
    if (holdsMore.test(name)) return namedIn(held, depth + 1);
    if (!pathFields.test(name)) return [];
    return Array.isArray(held) ? held : [held];
  });
}

const isAllText = (held: unknown): held is readonly string[] => Array.isArray(held) && held.every((each) => typeof each === 'string');
