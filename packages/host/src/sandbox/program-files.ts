import { open, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { findExecutable, isWithin } from 'agent-relay-wire/node';
import { ancestors } from './mounts.ts';
import { rootFolders, systemFolders } from './system-files.ts';

export interface ProgramPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
}

const isSystem = (path: string): boolean => [...systemFolders, ...rootFolders].some((folder) => isWithin(path, folder));

/**
 * What must be readable for a program outside the system's folders to run: itself with the package it is part of, what its first line names, and
 * the folders of `PATH`. Never the home folder, nor one that holds it or the session's.
 */
export async function programFiles(command: string, place: ProgramPlace): Promise<readonly string[]> {
  const paths = (place.env['PATH'] ?? '').split(':').filter((folder) => isAbsolute(folder) && !isSystem(folder) && !isOpen(folder, place));
  const found = await Promise.all([filesOf(command, place, 0), ...paths.map((folder) => folderOf(folder, place))]);
  return [...new Set(found.flat())];
}

/** Whoever reads this folder reads the user's home or the session's surroundings. */
const isOpen = (folder: string, { home, cwd }: ProgramPlace): boolean => isWithin(home, folder) || isWithin(cwd, folder);

/** A folder of `PATH` alone. Whoever may put a link there does not choose what of the home is read. */
async function folderOf(folder: string, place: ProgramPlace): Promise<readonly string[]> {
  const real = await realpath(folder).catch(() => null);
  if (real === null || !(await stat(real)).isDirectory()) return [];
  const home = await realpath(place.home).catch(() => place.home);
  const name = isWithin(folder, place.home) ? `${home}${folder.slice(place.home.length)}` : folder;
  if (real !== name && isWithin(real, home)) return [];
  return [folder, real].filter((path) => !isSystem(path) && !isOpen(path, { ...place, home }) && !isOpen(path, place));
}

/** A program with its links, its package and the interpreter of its first line, which is a program too. */
async function filesOf(command: string, place: ProgramPlace, depth: number): Promise<readonly string[]> {
  const real = await realpath(command).catch(() => null);
  if (real === null || depth > 3) return [];
  const own = isSystem(real)
    ? []
    : [real, ...packageOf(real), ...(await prefixOf(dirname(real), place))].filter((path) => !isOpen(path, place));
  const link = isSystem(command) ? [] : [command];
  const interpreter = await interpreterOf(real, place);
  return [...link, ...own, ...(interpreter === undefined ? [] : await filesOf(interpreter, place, depth + 1))];
}

/** Of a package of npm all that was installed with it. */
function packageOf(path: string): readonly string[] {
  const end = path.indexOf('/node_modules/');
  return end === -1 ? [] : [path.slice(0, end + '/node_modules'.length)];
}

/** Where `bin` is the folder of an installation, such as a version manager's, its libraries are beside it. */
async function prefixOf(folder: string, { home }: ProgramPlace): Promise<readonly string[]> {
  const parent = dirname(folder);
  if (!folder.endsWith('/bin') || parent === join(home, '.local') || ancestors(home).includes(parent) || parent === home) return [];
  const libraries = [join(parent, 'lib'), join(parent, 'lib64'), join(parent, 'libexec'), join(parent, 'share'), join(parent, 'include')];
  return [folder, ...libraries];
}

async function interpreterOf(path: string, { env }: ProgramPlace): Promise<string | undefined> {
  const line = await firstLine(path);
  const [, program, ...words] = /^#!\s*(\S+)((?:[ \t]+\S+)*)/u.exec(line) ?? [];
  if (program === undefined) return undefined;
  if (!program.endsWith('/env')) return program;
  const name = (words[0] ?? '').split(/[ \t]+/u).find((word) => word !== '' && word !== '-S' && !word.includes('='));
  return name === undefined ? undefined : findExecutable(name, { env });
}

async function firstLine(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    const text = buffer.toString('latin1', 0, bytesRead);
    return text.startsWith('#!') ? (text.split('\n', 1)[0] ?? '') : '';
  } catch {
    return '';
  } finally {
    await file.close();
  }
}
