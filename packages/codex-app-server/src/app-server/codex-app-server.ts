import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import { type ChildHandle, type ProcessExit, type SpawnProcessOptions, startProcess, withoutColours } from 'agent-relay-wire/node';
import type { CodexEndpoint } from './endpoint.ts';
import type { ThreadConfig } from './methods.ts';
import { findCodex } from './native-binary.ts';
import { usableEnvironment } from './temporary-folder.ts';

export interface StartAppServerOptions {
  /** A name or a path. Default: `codex` from the `PATH` of `env`. */
  readonly command?: string | undefined;
  /** Where Codex keeps its settings, logins and threads. Default: what `env` says. */
  readonly codexHome?: string | undefined;
  /** The whole environment of the server and, unless a thread says otherwise, of the commands it runs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For the socket and the token, created if need be. Default: a fresh folder that goes with the server. */
  readonly runtimeDir?: string;
  /** Settings over those of `config.toml`, by dotted key. They stand in the list of processes: no secrets. */
  readonly config?: ThreadConfig;
  /** `auto`: a unix socket, or on Windows a WebSocket with a token. */
  readonly transport?: 'auto' | CodexEndpoint['transport'];
  /** Default 15 000. */
  readonly startTimeoutMs?: number;
  /** Told of the process as soon as it runs. */
  readonly onProcess?: (child: ChildHandle) => void;
  readonly signal?: AbortSignal | undefined;
  /** What the server is put in; the folder of its socket is writable there. */
  readonly sandbox?: Confines | undefined;
}

/** Makes of a process one that is kept in its folder. */
export interface Confines {
  confine(process: SpawnProcessOptions, files: { readonly write: readonly string[] }): Promise<SpawnProcessOptions>;
}

/** A `codex app-server` process of ours. It serves any number of clients and threads, and is meant to be one per CODEX_HOME. */
export class CodexAppServer {
  readonly endpoint: CodexEndpoint;
  readonly child: ChildHandle;
  readonly #runtimeDir: string;
  readonly #ownsRuntimeDir: boolean;
  #closing: Promise<void> | undefined;

  private constructor(
    child: ChildHandle,
    { endpoint, runtimeDir, ownsRuntimeDir }: { endpoint: CodexEndpoint; runtimeDir: string; ownsRuntimeDir: boolean },
  ) {
    this.child = child;
    this.endpoint = endpoint;
    this.#runtimeDir = runtimeDir;
    this.#ownsRuntimeDir = ownsRuntimeDir;
  }

  /**
   * Starts a server; resolves when it can be connected to.
   * @throws RelayError `provider_unavailable` when there is no Codex, or when it ended or did not listen in time, with its last words.
   */
  static async start(options: StartAppServerOptions): Promise<CodexAppServer> {
    const { signal, env, transport = 'auto' } = options;
    signal?.throwIfAborted();
    const command = await findCodex({ command: options.command, env });
    if (command === undefined)
      throw new RelayError('provider_unavailable', `Codex is not installed on this machine; install it ${howToInstall}`);
    const runtimeDir = options.runtimeDir ?? (await mkdtemp(join(tmpdir(), 'agent-relay-codex-')));
    const ownsRuntimeDir = options.runtimeDir === undefined;
    await mkdir(runtimeDir, { recursive: true, mode: 0o700 });
    const kind = transport === 'auto' ? (process.platform === 'win32' ? 'websocket' : 'unix') : transport;
    try {
      const listening = await prepare(kind, runtimeDir);
      const stdio = kind === 'stdio' ? 'pipe' : 'ignore';
      const args = ['app-server', ...overrides(options.config), ...listening.args];
      const outside: SpawnProcessOptions = {
        command,
        args,
        env: await usableEnvironment(env, options.codexHome, runtimeDir),
        stdin: stdio,
        stdout: stdio,
      };
      const { child, ready } = await startProcess({
        ...((await options.sandbox?.confine(outside, { write: [runtimeDir] })) ?? outside),
        name: 'The Codex app-server',
        timeoutMs: options.startTimeoutMs ?? 15_000,
        signal,
        onStart: options.onProcess,
        getReady: (started, inTime) => whenListening(started, listening, inTime),
        killOptions: { graceMs: 1_000 },
      });
      return new CodexAppServer(child, { endpoint: ready, runtimeDir, ownsRuntimeDir });
    } catch (error) {
      if (ownsRuntimeDir) await rm(runtimeDir, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    }
  }

  get exited(): Promise<ProcessExit> {
    return this.child.exited;
  }

  /** Ends the server and every command it started. The first SIGTERM lets running turns end, the second does not. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.child.kill({ signals: ['SIGTERM', 'SIGTERM', 'SIGKILL'], graceMs: 1_500 });
    if (this.#ownsRuntimeDir) await rm(this.#runtimeDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** JSON of a string, number, boolean or list of them is TOML. */
const overrides = (config: ThreadConfig = {}): readonly string[] =>
  Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${JSON.stringify(value)}`]);

export const howToInstall = 'with `npm install -g @openai/codex`';

interface Listening {
  readonly kind: CodexEndpoint['transport'];
  readonly args: readonly string[];
  readonly socketPath: string;
  readonly token: string;
}

async function prepare(kind: CodexEndpoint['transport'], runtimeDir: string): Promise<Listening> {
  const socketPath = join(runtimeDir, 'codex.sock');
  const token = randomBytes(32).toString('base64url');
  if (kind === 'stdio') return { kind, args: [], socketPath, token };
  if (kind === 'unix') {
    await rm(socketPath, { force: true });
    return { kind, args: ['--listen', `unix://${socketPath}`], socketPath, token };
  }
  const tokenFile = join(runtimeDir, 'codex.token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  // The mode above counts for a new file only.
  await chmod(tokenFile, 0o600);
  return { kind, args: ['--listen', 'ws://127.0.0.1:0', '--ws-auth', 'capability-token', '--ws-token-file', tokenFile], socketPath, token };
}

async function whenListening(child: ChildHandle, listening: Listening, signal: AbortSignal): Promise<CodexEndpoint> {
  if (listening.kind === 'stdio') return { transport: 'stdio', child };
  for (;;) {
    signal.throwIfAborted();
    if (listening.kind === 'websocket') {
      const [, url] = /listening on:\s*(ws:\/\/\S+)/u.exec(withoutColours(child.stderrTail)) ?? [];
      if (url !== undefined) return { transport: 'websocket', url, token: listening.token };
    } else if (await exists(listening.socketPath)) return { transport: 'unix', socketPath: listening.socketPath };
    await sleep(10, { signal });
  }
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
