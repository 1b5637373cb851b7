import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One process as the system lists it. `startedAt` is opaque: equal for the same process, different for a later one with its pid. */
export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /** 0 where the system does not tell. */
  readonly sessionId: number;
  readonly startedAt: string;
  /** Ended, but not yet collected by its parent. */
  readonly isZombie: boolean;
}

/** Every process of the machine that this user may see. */
export async function readProcessTable(): Promise<ProcessRow[]> {
  if (process.platform !== 'linux') return readPs(['-A']);
  const bootId = await readBootId();
  const names = await readdir('/proc');
  const rows = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((name) => readStat(Number(name), bootId)));
  return rows.filter((row) => row !== undefined);
}

export async function readProcess(pid: number): Promise<ProcessRow | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return readStat(pid, await readBootId());
  return (await readPs(['-p', String(pid)])).find((row) => row.pid === pid);
}

/** Start times count from boot, so they tell processes apart only within one. */
async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

async function readStat(pid: number, bootId: string): Promise<ProcessRow | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The second field is the program's name in brackets, which may itself hold spaces and brackets (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid, groupId, sessionId] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startedAt: `${bootId}:${startTicks}`,
    isZombie: state === 'Z' || state === 'X',
  };
}

const psLine = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/;

async function readPs(selection: readonly string[]): Promise<ProcessRow[]> {
  if (process.platform === 'win32') return [];
  const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'pgid=', '-o', 'stat=', '-o', 'lstart='];
  // `ps` exits with 1 when nothing matches.
  const output = await promisify(execFile)('ps', [...selection, ...columns], { env: { PATH: process.env['PATH'], LC_ALL: 'C' } }).catch(
    () => ({ stdout: '' }),
  );
  return parsePs(output.stdout);
}

export function parsePs(text: string): ProcessRow[] {
  return text.split('\n').flatMap((line) => {
    const [, pid, parentPid, groupId, state, startedAt] = psLine.exec(line) ?? [];
    if (state === undefined || startedAt === undefined) return [];
    return [
      {
        pid: Number(pid),
        parentPid: Number(parentPid),
        groupId: Number(groupId),
        sessionId: 0,
        startedAt,
        isZombie: state.startsWith('Z'),
      },
    ];
  });
}
