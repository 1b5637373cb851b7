import { readdir, readFile } from 'node:fs/promises';
import { killProcessTree, processIdentity } from 'agent-relay-wire/node';

/** In the environment of everything that runs for a session. */
export const SESSION_VARIABLE = 'AGENT_RELAY_SESSION_ID';

/**
 * Ends what still carries a session's mark, on systems that show environments (Linux). When one of the shared processes carries it too, its
 * children for other sessions have inherited it and cannot be told apart: then nothing is touched.
 */
export async function endMarkedProcesses(
  sessionId: string,
  sharedPids: readonly number[],
): Promise<{ readonly remaining: readonly number[] }> {
  const marked = await markedProcesses(sessionId);
  if (marked.some((pid) => sharedPids.includes(pid))) return { remaining: [] };
  const results = await Promise.all(
    marked.map(async (pid) => {
      const identity = await processIdentity(pid);
      return identity === undefined ? [] : (await killProcessTree(identity)).remaining;
    }),
  );
  return { remaining: results.flat() };
}

export async function markedProcesses(sessionId: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const mark = `${SESSION_VARIABLE}=${sessionId}`;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return pid !== process.pid && environment.split('\0').includes(mark) ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}
