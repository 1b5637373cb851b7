import { access, constants, readFile } from 'node:fs/promises';
import { findExecutable } from './find-executable.ts';

/**
 * The mark of a tree that a cleared environment does not take away: the soft limit of file locks. A process inherits it whatever it becomes, Linux has
 * not enforced it since 2.4.25, and everybody may read it in `/proc/<pid>/limits`.
 */
const line = /^Max file locks +(\d+)/mu;

/** The system's own, not by `PATH`: it begins every process that we start. */
const programs = ['/usr/bin/prlimit', '/bin/prlimit', '/run/current-system/sw/bin/prlimit'];

/** The limit that stands for a tree: as good as unlimited, and of sixty random bits. Null for an id that is none of ours. */
export function lockLimitOf(treeId: string): string | null {
  const [digits] = /[\da-f]{15}$/u.exec(treeId.replaceAll('-', '')) ?? [];
  return digits === undefined ? null : String(BigInt(`0x1${digits}`));
}

/** Whether the process was started under this limit, or by one that was. Only Linux tells. */
export async function hasLockLimit(pid: number, limit: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const limits = await readFile(`/proc/${pid}/limits`, 'latin1').catch(() => '');
  return line.exec(limits)?.[1] === limit;
}

export interface CommandToLimit {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The command line that starts this one with the mark of a tree on it, as the same process. Unchanged where the system has nothing for it, and where the
 * program is not there, so that whoever starts it is told what is missing.
 */
export async function underLockLimit(
  { command, args = [], cwd, env }: CommandToLimit,
  treeId: string,
): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  const limit = lockLimitOf(treeId);
  const prlimit = process.platform === 'linux' && limit !== null ? await firstRunnable(programs) : undefined;
  const isThere =
    prlimit !== undefined && (await findExecutable(command, { ...(env && { env }), ...(cwd !== undefined && { cwd }) })) !== undefined;
  if (prlimit === undefined || !isThere) return { command, args };
  return { command: prlimit, args: [`--locks=${limit}:`, '--', command, ...args] };
}

async function firstRunnable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isRunnable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isRunnable) return path;
  }
  return undefined;
}
