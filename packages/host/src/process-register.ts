import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnedProcess } from 'agent-relay-provider';
import { type Log, withTimeout } from 'agent-relay-wire';
import {
  environmentOfSync,
  environmentParts,
  isSameProcess,
  killProcessTree,
  type ProcessEnvironment,
  type ProcessIdentity,
} from 'agent-relay-wire/node';
import { endMarkedProcesses, endMarkedTree, SESSION_VARIABLE, TREE_VARIABLE } from './marked-processes.ts';

interface Registered {
  readonly sessionId: string;
  readonly purpose: string;
  readonly identity: ProcessIdentity;
  /** Serves several sessions: it ends with its provider, not with the session that happened to start it. */
  readonly isShared: boolean;
  /** Which of its provider's jobs it is, where something would bring it back. */
  readonly job?: { readonly provider: string; readonly id: string } | undefined;
}

/** Ends a job of a provider for good. */
export type EndJob = (provider: string, jobId: string) => Promise<void>;

/** How long that may take. */
const END_LIMIT_MS = 10_000;
const fileName = 'processes.json';
const markFileName = 'process-mark';

/**
 * The processes this host started, on disk before the host goes on, so that the next start ends whatever a crash left behind. On Linux it finds
 * by its mark also what had no time to be written down, or never was: a program that was only asked for its version.
 *
 * The file is replaced whole with each change and fsynced: it holds a handful of lines and changes a few times per session.
 */
export class ProcessRegister {
  /** Goes into the environment of whatever the host starts; the same for every host of this folder. */
  readonly mark: string;
  readonly #stateDir: string;
  readonly #log: Log;
  readonly #endJob: EndJob;
  readonly #environmentOf: (pid: number) => ProcessEnvironment;
  #processes: Registered[];
  #hasFault = false;

  constructor(stateDir: string, log: Log, endJob: EndJob, environment: (pid: number) => ProcessEnvironment = environmentOfSync) {
    this.#environmentOf = environment;
    this.#endJob = endJob;
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    this.#stateDir = stateDir;
    this.#log = log;
    this.#processes = readRegister(join(stateDir, fileName), log);
    this.mark = readMark(stateDir) ?? makeMark(stateDir);
  }

  get size(): number {
    return this.#processes.length;
  }

  /** Ends every tree that is still registered, and whatever carries the mark. Called once, before anything new starts. Answers how many processes were ended. */
  async reap(): Promise<number> {
    const leftBehind = this.#processes;
    // Also where the process is gone: it may run again by now, as another one.
    await Promise.all(leftBehind.map((entry) => this.#endForGood(entry)));
    const ended = await this.#killAll(leftBehind);
    this.#forget(leftBehind);
    const { signalled, remaining } = await endMarkedTree(this.mark);
    if (remaining.length > 0) this.#log.error('processes of an earlier run could not be ended', { remaining });
    return ended + signalled.length;
  }

  add(sessionId: string, owned: OwnedProcess, provider: string): void {
    const environment = this.#environmentOf(owned.pid);
    const treeId = owned.treeId ?? (owned.unmarked ? null : (environmentParts(environment, TREE_VARIABLE).at(-1) ?? null));
    const identity: ProcessIdentity = { pid: owned.pid, startedAt: owned.startToken, ...(treeId === null ? {} : { treeId }) };
    // What runs for one session alone carries its mark; a server for many must not.
    const isShared = owned.shared ?? (environment !== null && !environmentParts(environment, SESSION_VARIABLE).includes(sessionId));
    const job = owned.jobId === undefined ? undefined : { provider, id: owned.jobId };
    this.#processes = [...this.#processes, { sessionId, purpose: owned.purpose, identity, isShared, job }];
    this.#write();
  }

  /** Ends the trees of one session that are its alone, with everything that left them or runs for it elsewhere, and forgets them. */
  async endSession(sessionId: string): Promise<void> {
    const own = this.#processes.filter((entry) => entry.sessionId === sessionId && !entry.isShared);
    for (const entry of own) if (await isSameProcess(entry.identity)) await this.#endForGood(entry);
    await this.#killAll(own);
    const shared = this.#processes.filter(({ isShared }) => isShared).map(({ identity }) => identity.pid);
    const { remaining } = await endMarkedProcesses(sessionId, shared);
    if (remaining.length > 0) this.#log.error('processes could not be ended', { sessionId, remaining });
    this.#forget(own);
  }

  /** Ends what sessions shared, after the providers were closed. */
  async endAll(): Promise<void> {
    const all = this.#processes;
    await this.#killAll(all);
    this.#forget(all);
  }

  async #endForGood({ job, sessionId, purpose }: Registered): Promise<void> {
    if (job === undefined) return;
    try {
      await withTimeout(() => this.#endJob(job.provider, job.id), END_LIMIT_MS, { what: `end of ${purpose}` });
    } catch (error) {
      this.#log.error('a process could not be ended for good', { sessionId, purpose, error });
    }
  }

  async #killAll(entries: readonly Registered[]): Promise<number> {
    const results = await Promise.all(
      entries.map(async ({ identity, sessionId, purpose }) => {
        const { signalled, remaining } = await killProcessTree(identity);
        if (remaining.length > 0) this.#log.error('processes could not be ended', { sessionId, purpose, remaining });
        return signalled.length;
      }),
    );
    return results.reduce((sum, count) => sum + count, 0);
  }

  #forget(entries: readonly Registered[]): void {
    if (entries.length === 0) return;
    this.#processes = this.#processes.filter((entry) => !entries.includes(entry));
    this.#write();
  }

  /** A disk that takes nothing keeps no agent from starting or ending: it is told, and everything is written with the next change. */
  #write(): void {
    try {
      replaceFile(this.#stateDir, fileName, JSON.stringify(this.#processes));
      this.#hasFault = false;
    } catch (error) {
      if (!this.#hasFault) this.#log.error('what runs here cannot be written down: after a crash some of it may live on', { error });
      this.#hasFault = true;
    }
  }
}

function replaceFile(folder: string, name: string, content: string): void {
  const path = join(folder, name);
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  syncFolder(folder);
}

function readMark(stateDir: string): string | null {
  try {
    return /^[\da-f-]{36}$/u.exec(readFileSync(join(stateDir, markFileName), 'utf8').trim())?.[0] ?? null;
  } catch {
    return null;
  }
}

function makeMark(stateDir: string): string {
  const mark = randomUUID();
  replaceFile(stateDir, markFileName, mark);
  return mark;
}

/** Without this the new name may not survive a power loss; Windows has no such call. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What is none of it is passed over, and told: what was meant may live on. */
function readRegister(path: string, log: Log): Registered[] {
  if (!existsSync(path)) return [];
  try {
    const entries: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(entries)) throw new TypeError('It is no list');
    const known = entries.filter(isRegistered);
    if (known.length < entries.length) log.error('the register of processes is damaged: what an earlier run left may live on', { path });
    return known;
  } catch (error) {
    log.error('the register of processes cannot be read: what an earlier run left may live on', { path, error });
    return [];
  }
}

/** The file may be somebody else's word: it names processes of a shape, and jobs for providers to end, and no program. */
function isRegistered(value: unknown): value is Registered {
  if (!isObject(value) || !isObject(value['identity'])) return false;
  const { sessionId, purpose, isShared, identity, job } = value;
  const { pid, startedAt, treeId } = identity;
  return (
    isText(sessionId) &&
    isText(purpose) &&
    typeof isShared === 'boolean' &&
    Number.isSafeInteger(pid) &&
    Number(pid) > 1 &&
    isText(startedAt) &&
    (treeId === undefined || isText(treeId)) &&
    (job === undefined || isJob(job))
  );
}

const isJob = (job: unknown): boolean =>
  isObject(job) && isText(job['provider']) && isText(job['id']) && /^\w[\w-]{0,127}$/u.test(job['id']);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';
