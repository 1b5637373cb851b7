import { execFile } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findExecutable } from './find-executable.ts';

/**
 * The mark of a tree that a cleared environment does not take away: the soft limit of file locks. A process inherits it whatever it becomes, Linux has
 * not enforced it since 2.4.25, and everybody may read it in `/proc/<pid>/limits`.
 */
const line = /^Max file locks +(\S+) +(\S+)/mu;

/** The system's own, not by `PATH`: it begins every process that we start. */
const programs = ['/usr/bin/prlimit', '/bin/prlimit', '/run/current-system/sw/bin/prlimit'];

/** How long it may take to show that it works here. */
const trialMs = 2_000;

/** The limit that stands for a tree: as good as unlimited, and of sixty random bits. Null for an id that is none of ours. */
export function lockLimitOf(treeId: string): string | null {
  const [digits] = /[\da-f]{15}$/u.exec(treeId.replaceAll('-', '')) ?? [];
  return digits === undefined ? null : String(BigInt(`0x1${digits}`));
}

/** Whether a limit stands for some tree. */
const isMark = (limit: string): boolean => /^\d{19}$/u.test(limit) && BigInt(limit) >> 60n === 1n;

/** Whether the process was started under this limit, or by one that was. Only Linux tells. */
export async function hasLockLimit(pid: number, limit: string): Promise<boolean> {
  return (await limitsOf(pid))?.soft === limit;
}

async function limitsOf(pid: number): Promise<{ readonly soft: string; readonly hard: string } | null> {
  if (process.platform !== 'linux') return null;
  const limits = await readFile(`/proc/${pid}/limits`, 'latin1').catch(() => '');
  const [, soft, hard] = line.exec(limits) ?? [];
  return soft === undefined || hard === undefined ? null : { soft, hard };
}

export interface CommandToLimit {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

type CommandLine = Required<Pick<CommandToLimit, 'command' | 'args'>>;

/**
 * The command line that starts this one with the mark of a tree on it, as the same process. Unchanged where the system has nothing for it or refuses it
 * (a lower hard limit, a filter of system calls, gVisor), and where the program is not there, so that whoever starts it is told what is missing.
 */
export async function underLockLimit(wanted: CommandToLimit, treeId: string): Promise<CommandLine> {
  const limit = lockLimitOf(treeId);
  return limit === null ? asItIs(wanted) : withLimit(wanted, limit);
}

/** The one that starts this one with the mark of no tree: not with that of the tree in which this process runs. */
export async function outsideLockLimits(wanted: CommandToLimit): Promise<CommandLine> {
  const own = await limitsOf(process.pid);
  return own !== null && isMark(own.soft) ? withLimit(wanted, own.hard) : asItIs(wanted);
}

const asItIs = ({ command, args = [] }: CommandToLimit): CommandLine => ({ command, args });

async function withLimit(wanted: CommandToLimit, limit: string): Promise<CommandLine> {
  const { command, args = [], cwd, env } = wanted;
  if (process.platform !== 'linux') return asItIs(wanted);
  const isThere = (await findExecutable(command, { ...(env && { env }), ...(cwd !== undefined && { cwd }) })) !== undefined;
  const prlimit = isThere ? await firstRunnable(programs) : undefined;
  if (prlimit === undefined || !(await isTaken(prlimit, limit))) return asItIs(wanted);
  return { command: prlimit, args: [`--locks=${limit}:`, '--', command, ...args] };
}

/** Tried on `prlimit` itself: where the system refuses, the program that was to be started would not be. */
async function isTaken(prlimit: string, limit: string): Promise<boolean> {
  const shown = [prlimit, '--locks', '--noheadings', '--raw', '--output=SOFT'];
  const options = { env: {}, cwd: '/', timeout: trialMs, killSignal: 'SIGKILL' } as const;
  const tried = await promisify(execFile)(prlimit, [`--locks=${limit}:`, '--', ...shown], options).catch(() => null);
  return tried?.stdout.trim() === limit;
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
