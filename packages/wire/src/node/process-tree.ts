import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RelayError } from 'agent-relay-protocol';
import { sleep } from '../time.ts';
import { hasLockLimit, lockLimitOf } from './lock-limit.ts';
import { hasInEnvironment } from './process-environment.ts';
import { isSameProcess, type ProcessIdentity } from './process-identity.ts';
import { type ProcessRow, readProcessTable } from './process-table.ts';

/** Inherited by every descendant that does not clear its environment: nested trees append, so each finds its own. */
export const treeVariable = 'AGENT_RELAY_PROCESS_TREE';

export interface KillTreeOptions {
  /** How long each signal but the last may take. Default 3 000. */
  readonly graceMs?: number;
  /** Sent in turn to whatever still runs. Default SIGTERM, SIGKILL. */
  readonly signals?: readonly NodeJS.Signals[];
}

export interface KillTreeResult {
  /** Pids that were signalled, in the order they were found. */
  readonly signalled: readonly number[];
  /** Pids that outlived the last signal (uninterruptible, or another user's). */
  readonly remaining: readonly number[];
}

const killWaitMs = 2_000;
const pollMs = 25;

/**
 * Ends a whole process tree: the root, its descendants by parent, its process group and session, and on Linux everything that carries
 * the tree's marks, so that a child which called `setsid`, lost its parent and cleared its environment is found too. New members are looked for
 * until none is left.
 *
 * Give the identity or the handle rather than a pid: a pid that now belongs to another process is then left alone, and a tree whose
 * root has ended already is still found by its mark. Never touches this process or its ancestors. Resolves when the tree is gone.
 */
export async function killProcessTree(
  target: number | ProcessIdentity | { readonly identity: ProcessIdentity },
  options: KillTreeOptions = {},
): Promise<KillTreeResult> {
  const identity: Partial<ProcessIdentity> & { readonly pid: number } =
    typeof target === 'number' ? { pid: target } : 'identity' in target ? target.identity : target;
  const isReused = await hasOurPid(identity);
  if (!Number.isSafeInteger(identity.pid) || identity.pid <= 1 || (identity.pid === process.pid && !isReused)) {
    throw new RelayError('validation_failed', `Process ${identity.pid} is not one to end`, {
      issues: [{ path: 'pid', message: 'not a child process' }],
    });
  }
  if (process.platform === 'win32') return isReused ? { signalled: [], remaining: [] } : killOnWindows(identity.pid);
  const tree = new ProcessTree(identity);
  const { graceMs = 3_000, signals = ['SIGTERM', 'SIGKILL'] } = options;
  for (const [index, signal] of signals.entries()) {
    const isLast = index === signals.length - 1;
    if (await tree.signalUntilGone(signal, isLast ? Math.max(graceMs, killWaitMs) : graceMs)) break;
  }
  return { signalled: tree.signalled, remaining: (await tree.findMembers()).map(({ pid }) => pid) };
}

/** Whether it is one of before, whose number this process has been given: what it left behind is found by its marks. */
async function hasOurPid({ pid, startedAt }: Partial<ProcessIdentity> & { readonly pid: number }): Promise<boolean> {
  return pid === process.pid && startedAt !== undefined && !(await isSameProcess({ pid, startedAt }));
}

/** Remembers who belonged, because a member whose parent has died can no longer be found by looking. */
class ProcessTree {
  readonly #root: Partial<ProcessIdentity> & { readonly pid: number };
  #rootStartedAt: string | undefined;
  readonly #known = new Set<string>();
  readonly #unmarked = new Set<string>();
  readonly signalled: number[] = [];

  constructor(root: Partial<ProcessIdentity> & { readonly pid: number }) {
    this.#root = root;
    this.#rootStartedAt = root.startedAt;
  }

  async signalUntilGone(signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
    const hasSignal = new Set<string>();
    const deadline = performance.now() + waitMs;
    for (;;) {
      const members = await this.findMembers();
      if (members.length === 0) return true;
      for (const member of members) {
        if (hasSignal.has(keyOf(member))) continue;
        hasSignal.add(keyOf(member));
        this.#signal(member, signal);
      }
      if (performance.now() >= deadline) return false;
      await sleep(pollMs);
    }
  }

  /** The running members, parents before children. */
  async findMembers(): Promise<ProcessRow[]> {
    const rows = await readProcessTable();
    const spared = ancestorsOf(process.pid, rows);
    const seeds = await this.#seeds(rows);
    const members = withDescendants(seeds, rows).filter((row) => !spared.has(row.pid));
    for (const member of members) this.#known.add(keyOf(member));
    return members.filter((row) => !row.isZombie);
  }

  async #seeds(rows: readonly ProcessRow[]): Promise<ProcessRow[]> {
    const marked = await this.#marked(rows);
    const root = rows.find((row) => row.pid === this.#root.pid);
    this.#rootStartedAt ??= root?.startedAt;
    const isRootPresent = root !== undefined && root.startedAt === this.#rootStartedAt;
    // The system reuses a group's number only after its last member is gone; without the root, a mark in the group proves it is still ours.
    const inGroup = rows.filter((row) => row.groupId === this.#root.pid || row.sessionId === this.#root.pid);
    const isGroupOurs = isRootPresent || inGroup.some((row) => marked.has(row) || this.#known.has(keyOf(row)));
    return rows.filter(
      (row) => (isRootPresent && row === root) || marked.has(row) || this.#known.has(keyOf(row)) || (isGroupOurs && inGroup.includes(row)),
    );
  }

  async #marked(rows: readonly ProcessRow[]): Promise<Set<ProcessRow>> {
    const { treeId } = this.#root;
    if (treeId === undefined) return new Set();
    const marked = new Set<ProcessRow>();
    await Promise.all(
      rows.map(async (row) => {
        // What lacked the mark once never gains it; what is known needs no second look.
        const key = keyOf(row);
        if (this.#unmarked.has(key) || this.#known.has(key)) return;
        if (await hasMark(row.pid, treeId)) marked.add(row);
        else this.#unmarked.add(key);
      }),
    );
    return marked;
  }

  #signal(member: ProcessRow, signal: NodeJS.Signals): void {
    try {
      process.kill(member.pid, signal);
      if (!this.signalled.includes(member.pid)) this.signalled.push(member.pid);
    } catch {
      // Gone since we looked, or not ours to signal: what remains is reported.
    }
  }
}

async function hasMark(pid: number, treeId: string): Promise<boolean> {
  const limit = lockLimitOf(treeId);
  return (await hasInEnvironment(pid, treeVariable, treeId)) || (limit !== null && (await hasLockLimit(pid, limit)));
}

const keyOf = (row: ProcessRow): string => `${row.pid}@${row.startedAt}`;

function ancestorsOf(pid: number, rows: readonly ProcessRow[]): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parentPid]));
  const ancestors = new Set<number>();
  for (let current: number | undefined = pid; current && !ancestors.has(current); current = parents.get(current)) ancestors.add(current);
  return ancestors;
}

function withDescendants(seeds: readonly ProcessRow[], rows: readonly ProcessRow[]): ProcessRow[] {
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows) {
    const siblings = children.get(row.parentPid);
    if (siblings) siblings.push(row);
    else children.set(row.parentPid, [row]);
  }
  const found = new Set(seeds);
  // A set visits what is added while it is walked.
  for (const row of found) for (const child of children.get(row.pid) ?? []) found.add(child);
  return [...found];
}

async function killOnWindows(pid: number): Promise<KillTreeResult> {
  try {
    await promisify(execFile)('taskkill', ['/pid', String(pid), '/T', '/F']);
    return { signalled: [pid], remaining: [] };
  } catch {
    return { signalled: [], remaining: isRunning(pid) ? [pid] : [] };
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
