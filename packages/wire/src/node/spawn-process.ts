import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { PassThrough, pipeline, Readable, type Writable } from 'node:stream';
import { RelayError, type SandboxKind } from 'agent-relay-protocol';
import { AsyncQueue } from '../async-queue.ts';
import { asError } from '../message-duplex.ts';
import { outsideLockLimits, underLockLimit } from './lock-limit.ts';
import { type ProcessIdentity, processIdentity } from './process-identity.ts';
import { type KillTreeOptions, type KillTreeResult, killProcessTree, treeVariable } from './process-tree.ts';

export interface SpawnProcessOptions {
  /** A path, or a name looked up in `env`'s `PATH`. Never run through a shell; arguments are passed as arguments. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** The whole environment, not an addition. Default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: 'pipe' | 'ignore';
  readonly stdout?: 'pipe' | 'ignore';
  readonly stderr?: 'pipe' | 'ignore';
  /** How much of the end of stderr `stderrTail` keeps, in characters. Default 16 384. */
  readonly stderrTailLength?: number;
  /** What it starts may be another's, such as a service of the user's that outlives it: it passes on no mark by which that would be ended. */
  readonly unmarked?: boolean;
  /** Which sandbox the command line above puts it in; the handle says it again. */
  readonly sandbox?: SandboxKind;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child and its descendants, in a process group of their own. Who spawned it ends it: `kill()`. */
export interface ChildHandle {
  readonly pid: number;
  /** Plain JSON; enough for `killProcessTree` after a crash of this process. */
  readonly identity: ProcessIdentity;
  readonly sandbox?: SandboxKind | undefined;
  /** Writing after the child has gone is no fault; `exited` tells. Ended at once with `stdin: 'ignore'`. */
  readonly stdin: Writable;
  /** The child waits when nobody reads. Empty with `stdout: 'ignore'`. */
  readonly stdout: Readable;
  /** What nobody reads is forgotten beyond 1 MiB, oldest first: the child never waits for a reader of its stderr. Iterate once. */
  readonly stderr: AsyncIterable<Uint8Array>;
  readonly stderrTail: string;
  /** For how long it had written nothing there, until now or until it ended; Infinity when it never did. */
  readonly stderrQuietMs: number;
  /** Never rejects. The streams may still hold output, or be held open by grandchildren. */
  readonly exited: Promise<ProcessExit>;
  readonly hasExited: boolean;
  /** Ends the whole tree, also when the child itself has exited already. */
  kill(options?: KillTreeOptions): Promise<KillTreeResult>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a process and resolves once it runs. Throws `not_found` (no such command or folder), `forbidden` (not executable), or
 * `internal`, each with the system's error as `cause`.
 */
export async function spawnProcess(options: SpawnProcessOptions): Promise<ChildHandle> {
  const { cwd, stdin = 'pipe', stdout = 'pipe', stderr = 'pipe' } = options;
  const env = options.env ?? process.env;
  const treeId = randomUUID();
  const outerTrees = env[treeVariable];
  const wanted = { ...options, env };
  const { command, args } = await (options.unmarked ? outsideLockLimits(wanted) : underLockLimit(wanted, treeId));
  let child: ChildProcess;
  try {
    child = spawn(command, [...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...env, [treeVariable]: options.unmarked ? undefined : outerTrees ? `${outerTrees},${treeId}` : treeId },
      stdio: [stdin, stdout, stderr],
      // A group of its own: a Ctrl-C in our terminal is then not also theirs, and the group can be signalled as a whole.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    await once(child, 'spawn');
  } catch (error) {
    throw await spawnFailed(error, options);
  }
  return SpawnedChild.create(child, treeId, options);
}

class SpawnedChild implements ChildHandle {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: AsyncIterable<Uint8Array>;
  readonly exited: Promise<ProcessExit>;
  readonly sandbox: SandboxKind | undefined;
  readonly #child: ChildProcess;
  #identity: ProcessIdentity;
  #stderrTail = '';
  #spokeAtMs = Number.NEGATIVE_INFINITY;
  #endedAtMs: number | null = null;

  constructor(child: ChildProcess, pid: number, treeId: string, { stderrTailLength = 16_384, sandbox }: SpawnProcessOptions) {
    this.#child = child;
    this.sandbox = sandbox;
    this.pid = pid;
    this.#identity = { pid, startedAt: '', treeId };
    // `close` on a child that never had the pipe is never waited for: an empty stream stands in.
    this.stdin = child.stdin ?? endedStdin();
    this.stdout = child.stdout ? keptUntilRead(child.stdout) : Readable.from([]);
    // A child that dies while being written to breaks its pipes: `exited` tells, and without listeners it would end this process.
    this.stdin.on('error', () => {});
    this.stdout.on('error', () => {});
    child.on('error', () => {});
    this.stderr = this.#keepTail(child.stderr, stderrTailLength);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#endedAtMs = performance.now();
        resolve({ code, signal });
      });
    });
  }

  static async create(child: ChildProcess, treeId: string, options: SpawnProcessOptions): Promise<SpawnedChild> {
    if (child.pid === undefined) throw new RelayError('internal', 'The system started a process without a pid');
    const spawned = new SpawnedChild(child, child.pid, treeId, options);
    spawned.#identity = { pid: child.pid, startedAt: '', ...(await processIdentity(child.pid)), treeId };
    return spawned;
  }

  get identity(): ProcessIdentity {
    return this.#identity;
  }

  get stderrTail(): string {
    return this.#stderrTail;
  }

  get stderrQuietMs(): number {
    return Math.max(0, (this.#endedAtMs ?? performance.now()) - this.#spokeAtMs);
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async kill(options?: KillTreeOptions): Promise<KillTreeResult> {
    const result = await killProcessTree(this.#identity, options);
    if (result.remaining.length === 0) await this.exited;
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #keepTail(stream: Readable | null, tailLength: number): AsyncIterable<Uint8Array> {
    const queue = new AsyncQueue<Uint8Array>({ limit: 1 << 20, overflow: 'drop-oldest' });
    const decoder = new TextDecoder();
    if (!stream) queue.end();
    stream?.on('data', (chunk: Buffer) => {
      this.#spokeAtMs = performance.now();
      this.#stderrTail = (this.#stderrTail + decoder.decode(chunk, { stream: true })).slice(-tailLength);
      queue.push(chunk, chunk.byteLength);
    });
    stream?.on('error', () => {});
    stream?.once('close', () => queue.end());
    return queue;
  }
}

/** When a child exits, Node lets unread output of it flow away; a reader may come later. */
function keptUntilRead(stdout: Readable): Readable {
  return pipeline(stdout, new PassThrough(), () => {});
}

function endedStdin(): Writable {
  const stdin = new PassThrough();
  stdin.end();
  return stdin;
}

async function spawnFailed(cause: unknown, { command, cwd }: SpawnProcessOptions): Promise<RelayError> {
  const error = asError(cause);
  const systemCode = 'code' in error ? error.code : undefined;
  // The system answers ENOENT for a missing folder just as for a missing program.
  const isFolder =
    cwd === undefined ||
    (await stat(cwd).then(
      (found) => found.isDirectory(),
      () => false,
    ));
  if (!isFolder) {
    return new RelayError('not_found', `There is no folder ${cwd}`, { issues: [{ path: 'cwd', message: 'is not a folder' }], cause });
  }
  if (systemCode === 'ENOENT') {
    return new RelayError('not_found', `There is no program ${command}`, {
      issues: [{ path: 'command', message: 'was not found' }],
      cause,
    });
  }
  if (systemCode === 'EACCES') {
    return new RelayError('forbidden', `${command} may not be executed`, {
      issues: [{ path: 'command', message: 'is not executable' }],
      cause,
    });
  }
  return new RelayError('internal', `${command} could not be started: ${error.message}`, { cause });
}
