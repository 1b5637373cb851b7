import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { commandLineOf, environmentOf } from 'agent-relay-wire/node';
import { otherCommands, threadIdIn } from '../relay/launch-plan.ts';

/** A `codex` that a person has in a terminal of this machine. */
export interface CodexTerminal {
  readonly pid: number;
  readonly startedAt: number;
  /** Where it works. */
  readonly folder: string;
  /** The conversation that its command line names. */
  readonly resumes: string | null;
  /** It began with a conversation that was there before, whichever. */
  readonly goesOn: boolean;
}

/** On other systems nothing tells which folder and home a process has. */
export const canSeeTerminals = process.platform === 'linux';

/** Those that use the daemon of this CODEX_HOME, as far as this user may see them. */
export async function listTerminals(codexHome: string): Promise<readonly CodexTerminal[]> {
  const home = await realpath(codexHome).catch(() => codexHome);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const bootedAt = Number(/^btime (\d+)$/mu.exec(await readFile('/proc/stat', 'utf8'))?.[1]) * 1000;
  // One that ends meanwhile, or is another user's, cannot be read.
  const found = await Promise.all(pids.map((pid) => readTerminal(pid, home, bootedAt).catch(() => null)));
  return found.filter((terminal) => terminal !== null);
}

async function readTerminal(pid: string, codexHome: string, bootedAt: number): Promise<CodexTerminal | null> {
  const folder = join('/proc', pid);
  if (basename(await readlink(join(folder, 'exe'))) !== 'codex') return null;
  const [environment, commandLine] = await Promise.all([environmentOf(Number(pid)), commandLineOf(Number(pid))]);
  if (environment === null || commandLine === null) return null;
  const [, ...args] = commandLine;
  if (otherCommands.has(args[0] ?? '') || args.some((arg) => /^--(?:remote|no-daemon)(?:=|$)/u.test(arg))) return null;
  // After the name, which may hold anything: state, ppid, group, session, terminal, …
  const fields = (await readFile(join(folder, 'stat'), 'utf8')).replace(/^.*\) /su, '').split(' ');
  if (Number(fields[4]) === 0) return null;
  const env = Object.fromEntries(environment.map(asVariable));
  const own = env['CODEX_HOME'] || join(env['HOME'] ?? '/', '.codex');
  if ((await realpath(own)) !== codexHome) return null;
  const cwd = await readlink(join(folder, 'cwd'));
  return {
    pid: Number(pid),
    // Linux counts in hundredths of a second here, whatever its own tick.
    startedAt: bootedAt + Number(fields[19]) * 10,
    folder: resolve(cwd, chosenFolder(args)),
    resumes: threadIdIn(args),
    goesOn: args[0] === 'resume' || args[0] === 'fork',
  };
}

function asVariable(line: string): readonly [string, string] {
  const end = line.indexOf('=');
  return [line.slice(0, end), line.slice(end + 1)];
}

function chosenFolder(args: readonly string[]): string {
  const index = args.findIndex((arg) => arg === '-C' || arg === '--cd');
  return (index === -1 ? undefined : args[index + 1]) ?? args.find((arg) => arg.startsWith('--cd='))?.slice('--cd='.length) ?? '.';
}
