import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { SandboxRequest } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';
import { isSameProcess, processIdentity } from 'agent-relay-wire/node';
import { z } from 'zod';
import type { Logger } from './logger.ts';
import { isFileError } from './owner-token.ts';
import { readJson } from './running-relay.ts';

const NodeProcessSchema = z.object({
  pid: z.int().min(1),
  startedAt: z.string(),
  url: z.string(),
  socket: z.string().nullable(),
  /** The `PATH` and the settings; an earlier version did not say. */
  startedWith: z.string().optional(),
});
type NodeProcess = z.infer<typeof NodeProcessSchema>;

export interface LocalNodeOptions {
  /** Where the relay is reached on this machine. */
  readonly url: string;
  /** The door that the owner's credential goes through; `null` where the relay has none. */
  readonly socket: string | null;
  readonly tokenFile: string;
  readonly stateFolder: string;
  /** Where the node's process is written down, for the relay that comes after a crash. */
  readonly processFile: string;
  readonly logFile: string;
  readonly approvalTimeoutSeconds: number;
  /** Further variables that its agents get. */
  readonly agentEnvironment: readonly string[];
  /** What they are put in at least. */
  readonly sandbox?: SandboxRequest;
  /** What it does when something happens to its agents. */
  readonly hooksFile?: string;
  /** What its environment is made from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether agents run on the node that a relay before us left. */
  readonly hasAgents: () => Promise<boolean>;
  readonly log: Logger;
  /** Default: the bin of the installed agent-relay-connect. */
  readonly command?: readonly string[];
}

export const LOCAL_NODE_NAME = 'local';

/** As the end of a sentence about a node. */
export const OUTDATED_NODE =
  'it runs with the PATH and settings of an earlier start, for the sake of its agents; once they may end, stop and start the relay';

/** The mark by which whoever started the relay finds all that it started. */
const PROCESS_TREE = 'AGENT_RELAY_PROCESS_TREE';

/** How long a node has for ending its agents; then its process is killed. */
const STOP_MS = 15_000;
const STOP_LOOK_MS = 50;
const LOOK_MS = 2_000;

/**
 * This machine's own node: a `relay-connect` in a process apart, so that a relay that crashes or is upgraded costs no agent.
 *
 * States: *absent*; *running*, as our child or as the child of a relay before us, and started again when it ends by itself; *stopped* for good.
 */
export class LocalNode {
  readonly #options: LocalNodeOptions;
  readonly #stopping = new AbortController();
  #current: NodeProcess | null = null;
  #supervision: Promise<void> = Promise.resolve();
  #isOutdated = false;
  /** What is taken over stands there already. */
  #isNoted = true;

  constructor(options: LocalNodeOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#current?.pid ?? null;
  }

  /** It was started with another `PATH` or other settings than this relay would start it with, and kept for its agents. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** Takes over the node that a relay before us left, else starts one; then keeps one running. */
  async start(): Promise<void> {
    const left = await this.#leftBehind();
    if (left === null || !(await this.#takesOver(left))) {
      // One that looks for a relay elsewhere keeps the state folder from ours.
      if (left) await endProcess(left);
      await this.#spawn();
    }
    this.#supervision = this.#supervise();
  }

  /** One without agents is started anew, where anything would differ. */
  async #takesOver(left: NodeProcess): Promise<boolean> {
    const { hasAgents, log } = this.#options;
    const isOutdated = left.startedWith !== this.#startsWith;
    const reachesUs = this.#isReachedBy(left);
    if (reachesUs && !isOutdated) log.info('local node taken over', { pid: left.pid });
    else if (!(await hasAgents())) return false;
    else if (reachesUs) log.warn(`local node taken over: ${OUTDATED_NODE}`, { pid: left.pid });
    else log.warn('local node ended with its agents: it looks for a relay at another address', { pid: left.pid, url: left.url });
    if (!reachesUs) return false;
    this.#current = left;
    this.#isOutdated = isOutdated;
    return true;
  }

  /** Through a door it comes to whatever port we listen on; the name of the host it goes on saying, and a relay answers to its own alone. */
  #isReachedBy(left: NodeProcess): boolean {
    const { url, socket } = this.#options;
    if (socket === null || left.socket === null) return socket === left.socket && url === left.url;
    return socket === left.socket && new URL(url).hostname === new URL(left.url).hostname;
  }

  /** Ends the node and, through it, its agents. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#supervision;
    const current = this.#current;
    this.#current = null;
    if (current) await endProcess(current);
    rmSync(this.#options.processFile, { force: true });
  }

  async #leftBehind(): Promise<NodeProcess | null> {
    const left = readJson(this.#options.processFile, NodeProcessSchema);
    return left && (await isSameProcess(left)) ? left : null;
  }

  get #settings(): readonly string[] {
    const { socket, tokenFile, stateFolder, approvalTimeoutSeconds, agentEnvironment, sandbox = 'none', hooksFile } = this.#options;
    const door = socket === null ? [] : ['--socket', socket];
    const lets = agentEnvironment.length === 0 ? [] : ['--agent-env', ...agentEnvironment];
    const kept = sandbox === 'none' ? [] : ['--sandbox', sandbox];
    const where = [...door, '--token-file', tokenFile, '--name', LOCAL_NODE_NAME, '--state-dir', stateFolder];
    const hooks = hooksFile === undefined ? [] : ['--hooks', hooksFile];
    return [...where, '--approval-timeout', String(approvalTimeoutSeconds), ...kept, ...hooks, ...lets];
  }

  get #startsWith(): string {
    return JSON.stringify([this.#options.env['PATH'] ?? '', ...this.#settings]);
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    let delays = backoffDelays({ initialMs: LOOK_MS });
    let steadyLooks = 0;
    while (!signal.aborted) {
      await sleep(LOOK_MS, { signal });
      if (signal.aborted) return;
      if (this.#current && (await isSameProcess(this.#current))) {
        steadyLooks += 1;
        if (steadyLooks > 60) delays = backoffDelays({ initialMs: LOOK_MS });
        this.#note();
        continue;
      }
      steadyLooks = 0;
      this.#options.log.warn('local node has ended', { logFile: this.#options.logFile });
      await sleep(delays.next().value, { signal });
      if (!signal.aborted) await this.#spawn();
    }
  }

  async #spawn(): Promise<void> {
    const { url, socket, logFile, log } = this.#options;
    const [program, ...args] = this.#options.command ?? connectCommand();
    if (program === undefined) throw new TypeError('The command of a local node is not empty');
    let output: number | null = null;
    try {
      output = openSync(logFile, 'a', 0o600);
      // Its agents can read what it was started with: no token of ours is there.
      const env = Object.fromEntries(
        Object.entries(this.#options.env).filter(([name]) => !name.startsWith('AGENT_RELAY_') || name === PROCESS_TREE),
      );
      const child = spawn(program, [...args, '--url', url, ...this.#settings], { detached: true, env, stdio: ['ignore', output, output] });
      const pid = await startedPid(child);
      // What lives on without us must not hold our event loop.
      child.unref();
      this.#current = { pid, startedAt: (await processIdentity(pid))?.startedAt ?? '', url, socket, startedWith: this.#startsWith };
      this.#isOutdated = false;
      this.#isNoted = false;
      log.info('local node started', { pid });
    } catch (error) {
      this.#current = null;
      log.error('local node cannot be started', { error });
    } finally {
      if (output !== null) closeSync(output);
    }
    this.#note();
  }

  /** For the relay after us; tried again while the disk does not take it. */
  #note(): void {
    const { processFile, log } = this.#options;
    if (this.#current === null || this.#isNoted) return;
    try {
      writeFileSync(processFile, JSON.stringify(this.#current), { mode: 0o600 });
      this.#isNoted = true;
    } catch (error) {
      log.warn('a relay after this one could not find its local node: that it runs cannot be written down', { error });
    }
  }
}

function startedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

async function endProcess(identity: NodeProcess): Promise<void> {
  if (!(await isSameProcess(identity))) return;
  signalProcess(identity.pid, 'SIGTERM');
  for (let waitedMs = 0; await isSameProcess(identity); waitedMs += STOP_LOOK_MS) {
    if (waitedMs >= STOP_MS) signalProcess(identity.pid, 'SIGKILL');
    await sleep(STOP_LOOK_MS);
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (!isFileError(error, 'ESRCH')) throw error;
  }
}

/** The built bin; in a checkout that runs from its sources, and was not built, the source. */
function connectCommand(): readonly string[] {
  const folder = dirname(createRequire(import.meta.url).resolve('agent-relay-connect/package.json'));
  const source = join(folder, 'src', 'cli.ts');
  const runsFromSource = import.meta.url.endsWith('.ts');
  if (runsFromSource && existsSync(source)) return [process.execPath, '--conditions=agent-relay-source', source];
  return [process.execPath, join(folder, 'dist', 'cli.js')];
}
