import { readProcess } from './process-table.ts';

/** A process, told apart from a later one that was given the same pid. Plain JSON: it may be stored and read after a crash. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque. Compare with `isSameProcess`, do not parse. */
  readonly startedAt: string;
  /** The mark `spawnProcess` left in the environment of the whole tree. */
  readonly treeId?: string;
}

/** `undefined` when no such process runs (or, on Windows, when the system cannot be asked). */
export async function processIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  const row = await readProcess(pid);
  return row && !row.isZombie ? { pid, startedAt: row.startedAt } : undefined;
}

/** Whether that very process still runs. */
export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  return (await processIdentity(identity.pid))?.startedAt === identity.startedAt;
}
