import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';

export interface FindExecutableOptions {
  /** Folders to search, before those of `env`. */
  readonly path?: readonly string[];
  /** Where `PATH` (and on Windows `PATHEXT`) is read from. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A name that holds a slash is resolved from here. Default: the working folder. */
  readonly cwd?: string;
  /** Default: this machine's. */
  readonly platform?: NodeJS.Platform;
}

/** The absolute path of the program `name` would start, or `undefined`; on Windows also with the endings of `PATHEXT`. */
export async function findExecutable(name: string, options: FindExecutableOptions = {}): Promise<string | undefined> {
  const { path = [], env = process.env, cwd = process.cwd(), platform = process.platform } = options;
  if (name === '' || name.includes('\0')) return undefined;
  const isWindows = platform === 'win32';
  const endings = isWindows ? endingsOf(name, variable(env, 'PATHEXT', isWindows) ?? '.COM;.EXE;.BAT;.CMD') : [''];
  const isPath = name.includes('/') || (isWindows && name.includes('\\'));
  const folders = isPath || isAbsolute(name) ? [cwd] : [...path, ...(variable(env, 'PATH', isWindows) ?? '').split(isWindows ? ';' : ':')];
  for (const folder of folders) {
    // An empty entry of PATH means the working folder: a planted program must not be found that way.
    if (folder === '') continue;
    for (const ending of endings) {
      const candidate = isPath ? resolve(folder, name + ending) : join(resolve(cwd, folder), name + ending);
      if (await isExecutable(candidate, isWindows)) return candidate;
    }
  }
  return undefined;
}

function endingsOf(name: string, pathExt: string): string[] {
  const endings = pathExt.split(';').filter((ending) => ending !== '');
  const hasEnding = endings.some((ending) => name.toLowerCase().endsWith(ending.toLowerCase()));
  return hasEnding ? ['', ...endings] : endings.flatMap((ending) => [ending, ending.toLowerCase()]);
}

function variable(env: Readonly<Record<string, string | undefined>>, name: string, isWindows: boolean): string | undefined {
  if (!isWindows) return env[name];
  const key = Object.keys(env).find((candidate) => candidate.toUpperCase() === name);
  return key === undefined ? undefined : env[key];
}

async function isExecutable(path: string, isWindows: boolean): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false;
    if (!isWindows) await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
