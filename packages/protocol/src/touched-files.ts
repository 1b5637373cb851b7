import type { Approval } from './approval.ts';
import { plainPath } from './plain-path.ts';
import { patchedFiles, writtenByCommand } from './written-by-command.ts';

/** What an approval keeps of them rides in the log. */
const LONGEST = 16 * 1024;
const MOST = 256;
const pathFields =
  /^(?:(?:file|notebook|new|old|target|destination|source)?_?(?:path|file|filename)s?|(?:moved?_?to)|uri|target|destination|source)$/iu;
const holdsMore = /^(?:changes|edits|files|locations|args|arguments|input|params)$/iu;
/** Systems end a path at NUL and pass over what is not seen; `~` and schemes are a tool's own business. */
const isUntold = /[\p{Cc}\p{Cf}]|^~|^[a-z][a-z\d+.-]+:\/\//iu;

/**
 * Every file that a use of a tool would change, absolute and without `.` and `..`; null where that cannot be told. Of a command they are what it is
 * known to write, patterns as its shell reads them, and what ends in `/` is all that is below it; where they are many, only their folders are told.
 */
export function touchedFiles({ kind, cwd, input }: Pick<Approval, 'kind' | 'cwd' | 'input'>): string[] | null {
  if (kind === 'execute') return writtenFiles(cwd, input);
  if (kind !== 'edit' && kind !== 'other') return null;
  const named = [...namedIn(input, 0), ...patchedIn(input)];
  const files = named.map((path) => (typeof path === 'string' ? absolute(path, cwd) : null));
  const told = [...new Set(files.filter((file) => file !== null))];
  return told.length === 0 || files.includes(null) || JSON.stringify(told).length > LONGEST ? null : told;
}

function writtenFiles(cwd: string | undefined, input: Approval['input']): string[] | null {
  const { command, folder = cwd } = commandOf(input);
  if (command === null) return null;
  const files = writtenByCommand(command, folder ?? '').flatMap((written) => {
    const file = absolute(written.path, written.folder === '' ? undefined : (absolute(written.folder, cwd) ?? undefined));
    return file === null ? [] : [written.isTree ? `${file === '/' ? '' : file}/` : file];
  });
  const told = [...new Set(files)];
  if (told.length === 0) return null;
  return isShort(told) ? told : theirFolders(told);
}

const isShort = (files: readonly string[]): boolean => files.length <= MOST && JSON.stringify(files).length <= LONGEST;

/** Of too many to be named: all that is below their folders, or below the one that these are in. */
function theirFolders(files: readonly string[]): string[] {
  const folders = [...new Set(files.map(folderOf))];
  if (isShort(folders)) return folders;
  const [first = [], ...others] = folders.map((folder) => folder.split('/'));
  const shared = first.findIndex((name, index) => others.some((other) => other[index] !== name));
  return [`${first.slice(0, shared).join('/')}/`];
}

/** With `/` behind it; of a pattern, the last that is no part of it. */
function folderOf(file: string): string {
  const pattern = file.search(/[[{*?]/u);
  const end = pattern === -1 ? file.length - 2 : pattern;
  return file.slice(0, file.lastIndexOf('/', end) + 1);
}

interface GivenCommand {
  readonly command: string | null;
  readonly folder?: string | undefined;
}

/** A line, or its words; with the folder that it names, where it does. */
function commandOf(input: unknown): GivenCommand {
  if (typeof input === 'string') return { command: input };
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { command: null };
  const fields = input as Readonly<Record<string, unknown>>; // an object that is no list
  const given = fields['command'] ?? fields['cmd'];
  const folder = [fields['workdir'], fields['cwd'], fields['dir_path'], fields['directory']].find((each) => typeof each === 'string');
  if (typeof given === 'string') return { command: given, folder };
  return isAllText(given) ? { command: given.map(asWord).join(' '), folder } : { command: null };
}

const asWord = (word: string): string => (/^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

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

/** Of a tool that takes a patch, as text or under that name. */
function patchedIn(input: unknown): readonly string[] {
  const patch = typeof input === 'object' && input !== null && 'patch' in input ? input.patch : input;
  return typeof patch === 'string' ? patchedFiles(patch) : [];
}

const isAllText = (held: unknown): held is readonly string[] => Array.isArray(held) && held.every((each) => typeof each === 'string');
