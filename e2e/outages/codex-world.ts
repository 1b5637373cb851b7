import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import {
  agentCliPaths,
  type FakeOpenAi,
  freePort,
  type Model,
  say,
  startFakeAnthropic,
  startFakeOpenAi,
  tempHome,
} from 'agent-relay-testing';
import { nodeProcessOf } from '../support/node-process.ts';
import { agentEnvironment, type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { until, untilGranted } from '../support/until.ts';
import { killServerOf } from './kill-server.ts';

export interface CodexOutageOptions {
  readonly messages: number;
  /** How often something is killed, spread over the messages. */
  readonly kills: number;
  /** `own`: the one that the agent's machine started. `joined`: one that somebody else runs, over a line that can be cut. */
  readonly server: 'own' | 'joined';
  /** Of what is killed when. */
  readonly seed: number;
}

export interface CodexOutageRun {
  readonly kills: Readonly<Record<string, number>>;
  /** What of all that was promised did not hold. */
  readonly violations: readonly string[];
}

/** One that dies more often is not started again, and rightly so: its agents' sessions end (`DeathLimit` of the provider). */
const deathsThatAreForgiven = { count: 4, withinMs: 300_000 };

/** Busy for a moment with each turn. */
const model: Model = () => say('A word and another. ', { chunks: 3, delayMs: 30 });

const agent = 'Codex';

/**
 * Mail for one busy thread of a real Codex while its app-server, the line to it, the relay and the `relay-connect` that runs it are killed at random: every
 * message enters the conversation once, in the order in which it was sent, and its receipt says so.
 */
export async function runCodexOutages({ messages, kills, server, seed }: CodexOutageOptions): Promise<CodexOutageRun> {
  await using world = await CodexWorld.open(server);
  const random = randomFrom(seed);
  const every = Math.ceil(messages / (kills + 1));
  for (let count = 1; count <= messages; count += 1) {
    await world.send(`message ${count}`);
    if (count % every === 0 && count < messages) await world.strike(random);
  }
  return { kills: world.kills, violations: await world.judge() };
}

/** The same numbers for the same seed: a run that failed can be had again. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Somebody else's app-server, which is there again at once when it dies, behind a line of ours. */
class JoinedServer implements AsyncDisposable {
  readonly address: string;
  readonly #env: Record<string, string>;
  readonly #socketPath: string;
  readonly #sockets = new Set<Socket>();
  #child: ChildProcess | undefined;
  #isClosing = false;

  constructor(folder: string, env: Record<string, string>) {
    this.#env = env;
    this.#socketPath = join(folder, 'codex.sock');
    this.address = join(folder, 'line.sock');
  }

  async open(): Promise<void> {
    this.#start();
    const line = createServer((near) => {
      const far = connect(this.#socketPath);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {}); // a cut line is what this is for
        socket.once('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    line.listen(this.address).unref();
    await once(line, 'listening');
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    const child = this.#child;
    if (!child) return;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  #start(): void {
    const child = spawn(agentCliPaths().codex, ['app-server', '--listen', `unix://${this.#socketPath}`], {
      env: this.#env,
      stdio: 'ignore',
    });
    this.#child = child;
    child.once('exit', () => {
      if (!this.#isClosing) this.#start();
    });
  }
}

interface Parts {
  readonly home: Awaited<ReturnType<typeof tempHome>>;
  readonly fakes: readonly { close(): Promise<void> }[];
  readonly openAi: FakeOpenAi;
  readonly env: Record<string, string>;
  readonly port: number;
  readonly joined: JoinedServer | undefined;
}

class CodexWorld implements AsyncDisposable {
  readonly kills: Record<string, number> = {};
  readonly #parts: Parts;
  readonly #sent: number[] = [];
  #deaths: number[] = [];
  #relay: RunningProgram;
  #token = '';

  private constructor(parts: Parts, relay: RunningProgram) {
    this.#parts = parts;
    this.#relay = relay;
  }

  static async open(server: CodexOutageOptions['server']): Promise<CodexWorld> {
    const home = await tempHome();
    const [anthropic, openAi] = [await startFakeAnthropic({ model }), await startFakeOpenAi({ model })];
    const fakes = [anthropic, openAi];
    const env = await agentEnvironment(home, anthropic, openAi);
    const joined = server === 'joined' ? new JoinedServer(home.directory, { ...home.env(), ...env }) : undefined;
    await joined?.open();
    if (joined) env['CODEX_APP_SERVER'] = `unix://${joined.address}`;
    const port = await freePort();
    const world = new CodexWorld({ home, fakes, openAi, env, port, joined }, await startAgentRelay({ home, env, port }));
    world.#token = (await readFile(ownerTokenPath(databasePathOf(world.#relay.env)), 'utf8')).trim();
    await using client = world.#client();
    await untilGranted('Codex', () => client.sessions.start({ name: agent, provider: 'codex', mode: 'unrestricted' }), 120_000);
    return world;
  }

  /** Kills one of what a message passes through. */
  async strike(random: () => number): Promise<void> {
    await pause(random() * 300);
    // A server that outlives its machine keeps the conversation for itself.
    const victims = ['relay', ...(this.#mayKillServer() ? ['server'] : []), this.#parts.joined ? 'line' : 'node'];
    // Each of them once, then whatever comes.
    const victim = victims.find((name) => !(name in this.kills)) ?? victims[Math.floor(random() * victims.length)] ?? 'relay';
    this.kills[victim] = (this.kills[victim] ?? 0) + 1;
    if (victim === 'line') return this.#parts.joined?.cut();
    if (victim === 'node') return await this.#killNode();
    if (victim === 'server') return this.#parts.joined ? this.#parts.joined.kill() : await this.#killOwnServer();
    await this.#relay.end('SIGKILL');
    this.#relay = await startAgentRelay({ home: this.#parts.home, env: this.#parts.env, port: this.#parts.port });
  }

  async send(body: string): Promise<void> {
    await using client = this.#client();
    const idempotencyKey = crypto.randomUUID();
    const id = await until(`${body} to be stored`, async () => {
      try {
        return (await client.messages.send({ to: agent, body, idempotencyKey })).id;
      } catch (error) {
        if (error instanceof RelayError && error.retryable) return null;
        throw error;
      }
    });
    this.#sent.push(id);
  }

  async judge(): Promise<readonly string[]> {
    await using client = this.#client();
    const violations: string[] = [];
    const stateOf = async (id: number) => (await client.messages.deliveries({ id })).data.map(({ state }) => state).join();
    const last = this.#sent.at(-1) ?? 0;
    try {
      await until(`message ${last} to be seen`, async () => (await stateOf(last)) === 'seen', 120_000);
    } catch (error) {
      violations.push(String(error));
    }
    const { shown, seen, ended } = await this.#told();
    if (ended.length > (this.kills['node'] ?? 0)) violations.push(`its sessions ended: ${JSON.stringify(ended)}`);
    for (const [what, ids] of [
      ['was shown to read', shown],
      ['read', this.#read()],
    ] as const)
      if (ids.join() !== this.#sent.join()) violations.push(`was sent ${this.#sent.join()} and ${what} ${ids.join()}`);
    for (const id of this.#sent) {
      const [state, expected] = [await stateOf(id), seen.has(id) ? 'seen' : 'delivered'];
      if (state !== expected) violations.push(`message ${id} is ${state}, and its agent said ${expected}`);
    }
    return violations;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.end();
    await this.#parts.joined?.[Symbol.asyncDispose]();
    for (const fake of this.#parts.fakes) await fake.close();
    await rm(this.#parts.joined?.address ?? join(this.#parts.home.directory, 'none'), { force: true });
    await this.#parts.home.remove();
  }

  /** What the model was sent in its last request, which holds the whole conversation. */
  #read(): readonly number[] {
    const conversation = JSON.stringify(this.#parts.openAi.requests.at(-1)?.model?.conversation ?? null);
    return [...conversation.matchAll(/\[msg:(\d+)\] from owner/gu)].map(([, id]) => Number(id));
  }

  /** What was told to have entered the conversation, in order, and what the model did something after. */
  async #told(): Promise<{ readonly shown: readonly number[]; readonly seen: ReadonlySet<number>; readonly ended: readonly object[] }> {
    await using client = this.#client();
    // A session that goes on tells once more what the one before may have been killed while telling.
    const shown = new Set<number>();
    const seen = new Set<number>();
    const ended: object[] = [];
    for (let since: number | undefined = 0; since !== undefined; ) {
      const page: Awaited<ReturnType<typeof client.agents.activity>> = await client.agents.activity({ id: agent, since, limit: 1000 });
      for (const { event } of page.data) {
        if (event.type === 'user.message') for (const id of event.messageIds ?? []) shown.add(id);
        if (event.type === 'input.accepted' && event.state === 'seen') seen.add(event.messageId);
        if (event.type === 'session.ended') ended.push(event);
      }
      since = page.nextCursor;
    }
    return { shown: [...shown], seen, ended };
  }

  /** What it ran ends with it, and its agent comes back when somebody says so. */
  async #killNode(): Promise<void> {
    await using client = this.#client();
    const killed = await until('a relay-connect', () => nodeProcessOf(this.#parts.home));
    process.kill(killed, 'SIGKILL');
    const again = { name: agent, provider: 'codex', mode: 'unrestricted', resume: true } as const;
    await untilGranted(`${agent} to be back`, () => client.sessions.start(again), 120_000);
    this.#deaths = [];
  }

  #client() {
    return createNodeRelayClient({ url: `http://127.0.0.1:${this.#parts.port}`, token: this.#token });
  }

  /** Somebody else's may die as often as it likes. */
  #mayKillServer(): boolean {
    const { count, withinMs } = deathsThatAreForgiven;
    this.#deaths = this.#deaths.filter((at) => performance.now() - at < withinMs);
    return this.#parts.joined !== undefined || this.#deaths.length < count;
  }

  async #killOwnServer(): Promise<void> {
    await killServerOf(this.#parts.home.codexHome);
    this.#deaths.push(performance.now());
  }
}
