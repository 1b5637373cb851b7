import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ActivityEntry, Agent, Delivery, ErrorBody, Message, Session } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { environmentOfSync } from 'agent-relay-wire/node';
import { expect, vi } from 'vitest';
import { ScriptedProvider } from '../../host/test/scripted-provider.ts';
import type { NodeOptions, RunningNode } from '../src/node-contract.ts';
import { runNode } from '../src/run-node.ts';

export const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 60_000, interval: 25 });

export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Every process that carries a session's mark. */
export function marked(sessionId: string): number[] {
  const found = [];
  for (const name of readdirPids()) {
    try {
      if (environmentOfSync(name)?.includes(`AGENT_RELAY_SESSION_ID=${sessionId}`) && isRunning(name)) found.push(name);
    } catch {
      // Gone since we looked.
    }
  }
  return found;
}

function readdirPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
}

/** A relay's HTTP API as its owner, or as a token's holder, sees it. */
export class Api {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.#url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = (await response.json()) as Answer & { readonly error?: ErrorBody }; // the relay's own answer: what it says is what is tested
    if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer;
  }

  spawn(name: string, over: object = {}): Promise<Session> {
    return this.call('POST', '/sessions', { name, provider: 'scripted', ...over });
  }

  send(to: string, text: string, over: object = {}): Promise<Message> {
    return this.call('POST', '/messages', { to, body: text, ...over });
  }

  agent(id: string): Promise<Agent> {
    return this.call('GET', `/agents/${id}`);
  }

  session(sessionId: string): Promise<Session> {
    return this.call('GET', `/sessions/${sessionId}`);
  }

  async activity(id: string): Promise<ActivityEntry[]> {
    const entries: ActivityEntry[] = [];
    for (let since: number | undefined = 0; since !== undefined; ) {
      const page: { data: ActivityEntry[]; nextCursor?: number } = await this.call(
        'GET',
        `/agents/${id}/activity?since=${since}&limit=1000`,
      );
      entries.push(...page.data);
      since = page.nextCursor;
    }
    return entries;
  }

  async texts(id: string): Promise<string[]> {
    return (await this.activity(id)).flatMap(({ event }) => (event.type === 'text.completed' ? [event.text] : []));
  }

  async receipts(messageId: number): Promise<string[]> {
    return (await this.call<{ data: Delivery[] }>('GET', `/messages/${messageId}/deliveries`)).data.map(({ state }) => state);
  }

  /** Until this node is the only one and connected. */
  async nodeOnline(): Promise<void> {
    await until(async () => {
      const { data } = await this.call<{ data: { status: string }[] }>('GET', '/nodes');
      expect(data.map(({ status }) => status)).toEqual(['online']);
    });
  }
}

/** Folders and processes of one test, ended in reverse order of opening. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'node-link-'));
  readonly provider = new ScriptedProvider();
  readonly #closers: (() => unknown)[] = [];

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  async node(url: string, token: string, over: Partial<NodeOptions> = {}): Promise<RunningNode> {
    const node = await runNode({
      url: new URL(url),
      readToken: async () => token,
      name: 'laptop',
      stateDir: join(this.folder, 'node'),
      allowedFolders: [],
      providers: [this.provider],
      log: silentLog,
      env: process.env,
      clock: Date,
      heartbeatMs: 200,
      ...over,
    });
    this.onClose(() => node.stop('test over'));
    return node;
  }

  /** A TypeScript program as a process of its own. */
  process(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const path = fileURLToPath(new URL(program, import.meta.url));
    const child = spawn(process.execPath, ['--conditions=agent-relay-source', path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.onClose(() => endProcess(child, 'SIGKILL'));
    return child;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Resolves with its exit code. */
export function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill(signal);
  });
}

/** A wire between node and relay that can be cut, at once or after so many more pieces have passed in either direction. */
export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #passesLeft = Number.POSITIVE_INFINITY;

  /** Where it leads. */
  port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async to(port: number): Promise<Cable> {
    const server = createServer();
    const cable = new Cable(server, port);
    server.on('connection', (near) => cable.#join(near));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Cuts before the piece after the next `pieces` passes. */
  cutAfter(pieces: number): void {
    this.#passesLeft = pieces;
  }

  cut(): void {
    this.#isCut = true;
    this.#passesLeft = Number.POSITIVE_INFINITY;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #pass(from: Socket, to: Socket): void {
    from.on('data', (piece: Buffer) => {
      if (this.#passesLeft <= 0) this.cut();
      else to.write(piece);
      this.#passesLeft -= 1;
    });
  }

  #join(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(this.port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    this.#pass(near, far);
    this.#pass(far, near);
  }
}
