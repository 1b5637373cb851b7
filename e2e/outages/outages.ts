import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, type Model, say, startFakeAnthropic, startFakeOpenAi, tempHome } from 'agent-relay-testing';
import { agentEnvironment, type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { until } from '../support/until.ts';

export interface OutageRun {
  readonly rounds: number;
  readonly kills: number;
  readonly sent: number;
  readonly violations: readonly string[];
}

export interface OutageOptions {
  /** Each kills the relay twice: while mail waits behind a turn, and right after it answered a send to an idle agent. */
  readonly rounds: number;
  /** How many messages a flood sends to each agent, and how often the relay is killed meanwhile. */
  readonly flood: { readonly messages: number; readonly kills: number };
  readonly onRound?: (round: number) => void;
}

/** A second of talk where a message asks for it, else a word. */
const model: Model = ({ lastUserText }) =>
  lastUserText.includes('take your time') ? say('One word after the other, slowly. ', { chunks: 10, delayMs: 100 }) : say('Seen.');

const agents = ['claude', 'codex'] as const;
/** Longer than the slow turn: it ends while the relay is away. */
const AWAY_MS = 1_500;

/**
 * Real Claude Code and real Codex under a relay that is killed again and again: every message that was acknowledged must enter its agent's session
 * once, in the order of the log, and its receipt must say so.
 */
export async function runOutages({ rounds, flood, onRound }: OutageOptions): Promise<OutageRun> {
  await using world = await OutageWorld.open();
  for (const agent of agents) await world.spawn(agent);
  for (let round = 1; round <= rounds; round += 1) {
    await world.killBehindATurn();
    await world.killAfterASend();
    onRound?.(round);
  }
  await world.flood(flood);
  return { rounds, kills: world.kills, sent: world.sentCount, violations: await world.judge() };
}

class OutageWorld implements AsyncDisposable {
  kills = 0;
  readonly #home;
  readonly #fakes;
  readonly #env: Record<string, string>;
  readonly #port: number;
  readonly #token: string;
  readonly #sent = new Map<string, number[]>(agents.map((agent) => [agent, []]));
  readonly #late: string[] = [];
  #relay: RunningProgram;

  private constructor(parts: {
    readonly home: Awaited<ReturnType<typeof tempHome>>;
    readonly fakes: readonly { close(): Promise<void> }[];
    readonly env: Record<string, string>;
    readonly port: number;
    readonly token: string;
    readonly relay: RunningProgram;
  }) {
    this.#home = parts.home;
    this.#fakes = parts.fakes;
    this.#env = parts.env;
    this.#port = parts.port;
    this.#token = parts.token;
    this.#relay = parts.relay;
  }

  static async open(): Promise<OutageWorld> {
    const home = await tempHome();
    const anthropic = await startFakeAnthropic({ model });
    const openAi = await startFakeOpenAi({ model });
    const env = await agentEnvironment(home, anthropic, openAi);
    const port = await freePort();
    const relay = await startAgentRelay({ home, env, port });
    const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
    return new OutageWorld({ home, fakes: [anthropic, openAi], env, port, token, relay });
  }

  get sentCount(): number {
    return [...this.#sent.values()].reduce((sum, ids) => sum + ids.length, 0);
  }

  async spawn(agent: string): Promise<void> {
    const { code, stderr } = await this.#relay.run('spawn', agent, '--name', agent);
    if (code !== 0) throw new Error(`${agent} could not be started: ${stderr}`);
  }

  /** A turn runs, mail waits behind it, the relay dies, the turn ends, the relay comes back. */
  async killBehindATurn(): Promise<void> {
    for (const agent of agents) await this.#send(agent, 'take your time');
    for (const agent of agents) await this.#send(agent, 'then this');
    await this.#kill();
    await pause(AWAY_MS);
    await this.#revive();
    await this.#settled();
  }

  /** The relay dies as soon as it has answered a send to an agent that rests. */
  async killAfterASend(): Promise<void> {
    for (const agent of agents) await this.#send(agent, 'a word');
    await this.#kill();
    await this.#revive();
    await this.#settled();
  }

  async flood({ messages, kills }: OutageOptions['flood']): Promise<void> {
    const every = Math.ceil(messages / (kills + 1));
    for (let count = 1; count <= messages; count += 1) {
      for (const agent of agents) await this.#send(agent, `message ${count}`);
      if (count % every !== 0 || count >= messages) continue;
      await this.#kill();
      await this.#revive();
    }
    await this.#settled();
  }

  /** What of all that was promised did not hold. */
  async judge(): Promise<readonly string[]> {
    const violations = [...this.#late];
    await using client = this.#client();
    for (const agent of agents) {
      const sent = this.#sent.get(agent) ?? [];
      const read: number[] = [];
      for (let since: number | undefined = 0; since !== undefined; ) {
        const page: Awaited<ReturnType<typeof client.agents.activity>> = await client.agents.activity({ id: agent, since, limit: 1000 });
        for (const { event } of page.data) if (event.type === 'user.message') read.push(...(event.messageIds ?? []));
        since = page.nextCursor;
      }
      if (read.join() !== sent.join()) violations.push(`${agent} was sent ${sent.join()} and read ${read.join()}`);
    }
    return violations;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.end();
    for (const fake of this.#fakes) await fake.close();
    await this.#home.remove();
  }

  #client() {
    return createNodeRelayClient({ url: `http://127.0.0.1:${this.#port}`, token: this.#token });
  }

  /** Under one key, until it is answered. */
  async #send(to: string, body: string): Promise<void> {
    await using client = this.#client();
    const idempotencyKey = crypto.randomUUID();
    const id = await until(`a message to ${to} to be stored`, async () => {
      try {
        return (await client.messages.send({ to, body, idempotencyKey })).id;
      } catch (error) {
        if (error instanceof RelayError && error.retryable) return null;
        throw error;
      }
    });
    this.#sent.get(to)?.push(id);
  }

  async #kill(): Promise<void> {
    this.kills += 1;
    await this.#relay.end('SIGKILL');
  }

  async #revive(): Promise<void> {
    this.#relay = await startAgentRelay({ home: this.#home, env: this.#env, port: this.#port });
  }

  async #settled(): Promise<void> {
    await using client = this.#client();
    for (const [agent, ids] of this.#sent) {
      const last = ids.at(-1);
      if (last === undefined) continue;
      const isSeen = async (id: number) => (await client.messages.deliveries({ id })).data.every(({ state }) => state === 'seen');
      try {
        await until(`${agent} to have seen message ${last}`, () => isSeen(last), 90_000);
        for (const id of ids.slice(-200)) if (!(await isSeen(id))) this.#late.push(`message ${id} to ${agent} was passed over`);
      } catch (error) {
        this.#late.push(String(error));
      }
    }
  }
}
