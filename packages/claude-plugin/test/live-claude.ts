import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import { type BundledPrograms, bundledPrograms } from './bundled-programs.ts';

export interface Frame {
  readonly type: string;
  readonly msg_id: string;
  readonly from: string;
  readonly message: { readonly content: string };
}

export interface LiveClaudeOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Older versions have none. */
  readonly hasInbox?: boolean;
  readonly sessionId?: string;
  /** That of an earlier session, whose data it has. */
  readonly folder?: string;
}

/** A session of Claude Code as the plugin sees one: what starts its sidecar, calls its hooks and has an inbox. This process stands for it. */
export class LiveClaude implements AsyncDisposable {
  /** What came into the session's inbox. */
  readonly frames: Frame[] = [];
  readonly folder: string;
  readonly cwd: string;
  readonly sidecar: ChildProcess;
  readonly #env: Readonly<Record<string, string>>;
  readonly #inbox: Server | null;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<number, (answer: Record<string, unknown>) => void>();
  readonly #keepsFolder: boolean;
  readonly #programs: BundledPrograms;
  #count = 0;

  private constructor(parts: {
    readonly folder: string;
    readonly keepsFolder: boolean;
    readonly env: Readonly<Record<string, string>>;
    readonly inbox: Server | null;
    readonly programs: BundledPrograms;
  }) {
    const { folder, env, inbox, keepsFolder, programs } = parts;
    this.folder = folder;
    this.#keepsFolder = keepsFolder;
    this.cwd = join(folder, 'project');
    this.#env = env;
    this.#inbox = inbox;
    this.#programs = programs;
    inbox?.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      createInterface({ input: socket }).on('line', (line) => {
        const frame = JSON.parse(line) as Frame; // the sidecar's own
        if (frame.type === 'user') this.frames.push(frame);
      });
    });
    this.sidecar = spawn(process.execPath, [programs.sidecar], { env, cwd: this.cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    if (!this.sidecar.stdout) throw new Error('its standard output is a pipe');
    createInterface({ input: this.sidecar.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as { id: number }; // the sidecar's own
      this.#answers.get(answer.id)?.({ ...answer });
    });
  }

  static async start(options: LiveClaudeOptions): Promise<LiveClaude> {
    const { env: given, hasInbox = true, sessionId = 'session-1' } = options;
    const folder = options.folder ?? (await realpath(await mkdtemp(join(tmpdir(), 'claude-plugin-'))));
    for (const name of ['project', 'home', 'tmp']) await mkdir(join(folder, name), { recursive: true });
    const inbox = hasInbox ? createServer() : null;
    const path = join(folder, 'tmp', `inbox-${Math.random().toString(36).slice(2)}.sock`);
    await new Promise<void>((resolve) => (inbox ? inbox.listen(path, resolve) : resolve()));
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: join(folder, 'home'),
      TMPDIR: join(folder, 'tmp'),
      CLAUDE_CODE_SESSION_ID: sessionId,
      CLAUDE_PROJECT_DIR: join(folder, 'project'),
      CLAUDE_PLUGIN_DATA: join(folder, 'data'),
      CLAUDE_ENV_FILE: join(folder, 'env.sh'),
      ...(hasInbox ? { CLAUDE_CODE_MESSAGING_SOCKET: path, CLAUDE_CODE_MESSAGING_TOKEN: 'inbox-token' } : {}),
      ...given,
    };
    return new LiveClaude({ folder, keepsFolder: options.folder !== undefined, env, inbox, programs: await bundledPrograms() });
  }

  /** Runs a hook as the CLI does. */
  async hook(event: string, input: object = {}, args: readonly string[] = []) {
    const child = spawn(process.execPath, [this.#programs.hook, ...args], { env: this.#env, cwd: this.cwd, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece) => {
      stdout += piece;
    });
    child.stderr.on('data', (piece) => {
      stderr += piece;
    });
    child.stdin.end(JSON.stringify({ session_id: 'session-1', cwd: this.cwd, hook_event_name: event, ...input }));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, stderr, output: stdout === '' ? {} : JSON.parse(stdout) };
  }

  /** The context that a hook adds. */
  async context(event: string, input: object = {}): Promise<string> {
    return (await this.hook(event, input)).output.hookSpecificOutput?.additionalContext ?? '';
  }

  /** Until the sidecar's door is there; asked by what ends no turn. */
  async ready(): Promise<void> {
    await vi.waitUntil(async () => (await this.context('SessionStart', { source: 'compact' })).includes('Agent Relay'), {
      timeout: 60_000,
    });
  }

  async request(method: string, params: object): Promise<Record<string, unknown>> {
    this.#count += 1;
    const id = this.#count;
    const answered = new Promise<Record<string, unknown>>((resolve) => this.#answers.set(id, resolve));
    this.sidecar.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return answered;
  }

  async open(): Promise<void> {
    const clientInfo = { name: 'test', version: '1' };
    await this.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    this.sidecar.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  }

  async tool(name: string, input: object): Promise<{ readonly text: string; readonly isError: boolean }> {
    const { result } = (await this.request('tools/call', { name, arguments: input })) as {
      result: { content: { text: string }[]; isError?: boolean };
    }; // the sidecar's own
    return { text: result.content.map(({ text }) => text).join('\n'), isError: result.isError === true };
  }

  /** Ends the sidecar in peace, as `/mcp` does. */
  disconnect(): Promise<unknown> {
    const ended = new Promise((resolve) => this.sidecar.once('exit', resolve));
    this.sidecar.stdin?.end();
    return ended;
  }

  /** Ends the session as a kill does. */
  kill(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.sidecar.once('exit', () => resolve()));
    this.sidecar.kill('SIGKILL');
    return this.sidecar.exitCode === null && this.sidecar.signalCode === null ? ended : Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.sidecar.exitCode === null && this.sidecar.signalCode === null) await this.disconnect();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => (this.#inbox ? this.#inbox.close(resolve) : resolve(null)));
    if (!this.#keepsFolder) await rm(this.folder, { recursive: true, force: true });
  }
}
