import { readdir } from 'node:fs/promises';
import { hasInEnvironment, killProcessTree, processIdentity } from 'agent-relay-wire/node';

/** In the environment of everything that runs for a session. */
export const SESSION_VARIABLE = 'AGENT_RELAY_SESSION_ID';
/** In the environment of every tree of processes; nested trees append their marks, so that each finds its own. */
export const TREE_VARIABLE = 'AGENT_RELAY_PROCESS_TREE';

/**
 * Ends what still carries a session's mark, on systems that show environments (Linux). When one of the shared processes carries it too, its
 * children for other sessions have inherited it and cannot be told apart: then nothing is touched.
 */
export async function endMarkedProcesses(
  sessionId: string,
  sharedPids: readonly number[],
): Promise<{ readonly remaining: readonly number[] }> {
  const marked = await markedProcesses(SESSION_VARIABLE, sessionId);
  if (marked.some((pid) => sharedPids.includes(pid))) return { remaining: [] };
  return endAll(marked);
}

/**
 * Ends everything that carries a tree's mark, whoever registered it and whatever signals it ignores, with what it started. Never this process
 * or its ancestors.
 */
export async function endMarkedTree(
  mark: string,
): Promise<{ readonly signalled: readonly number[]; readonly remaining: readonly number[] }> {
  return endAll(await markedProcesses(TREE_VARIABLE, mark), mark);
}

async function endAll(pids: readonly number[], treeId?: string) {
  const results = await Promise.all(
    pids.map(async (pid) => {
      const identity = await processIdentity(pid);
      if (identity === undefined) return { signalled: [], remaining: [] };
      return await killProcessTree(treeId === undefined ? identity : { ...identity, treeId });
    }),
  );
  const all = (pick: (result: (typeof results)[number]) => readonly number[]) => [...new Set(results.flatMap(pick))];
  return { signalled: all(({ signalled }) => signalled), remaining: all(({ remaining }) => remaining) };
}

/** Who was started with `variable` holding `value` among its comma-separated parts. */
async function markedProcesses(variable: string, value: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => (pid !== process.pid && (await hasInEnvironment(pid, variable, value)) ? pid : null)),
  );
  return found.filter((pid) => pid !== null);
}
