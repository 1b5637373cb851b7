import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The plugin's process beside the Claude Code of that id; undefined where there is none. */
export async function sidecarPid(claudePid: number): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid,args', '--ppid', String(claudePid)]).catch(() => ({ stdout: '' }));
  const [, pid] = /(\d+) node \S*sidecar\.js/u.exec(stdout) ?? [];
  return pid === undefined ? undefined : Number(pid);
}
