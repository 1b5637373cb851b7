import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { messageOf, RelayError, type RelayEvent } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, startFakeAnthropic, startFakeGoogle, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Random, seeded } from '../crash/seeded.ts';
import { agentEnvironment, processesMentioning, type RunningProgram, startAgentRelay, withGemini } from '../support/programs.ts';
import { until } from '../support/until.ts';
import { judgeAgent, judgeFollower } from './judge.ts';
import { Machine } from './machine.ts';

const seed = Number(process.env['AGENT_RELAY_TEST_SEED'] ?? Date.now() % 1_000_000);
/** Every fault comes once, and so many more by chance. */
const moreFaults = Number(process.env['AGENT_RELAY_TEST_FAULTS'] ?? 2);
const agents = ['Lead', 'Coder', 'Scout'] as const;
type AgentName = (typeof agents)[number];
/** Real CLIs are started here on whatever machine this is. */
const PATIENCE_MS = 120_000;
/** A program that did not say its version in time is looked for once a minute, and an agent whose start failed waits the longer the more often it did. */
const FOUND_MS = 3 * PATIENCE_MS;

const [relayHome, leadHome, workerHome] = [await tempHome(), await tempHome(), await tempHome()];
const homes = [relayHome, leadHome, workerHome];
const model = wordScript();
const [anthropic, openAi, google] = [
  await startFakeAnthropic({ model }),
  await startFakeOpenAi({ model }),
  await startFakeGoogle({ model }),
];
const sent = new Map<AgentName, number[]>(agents.map((agent) => [agent, []]));
const followed: RelayEvent[] = [];
const following = new AbortController();
const machines: Machine[] = [];
let port: number;
let relay: RunningProgram;
let token: string;
let follower: Promise<void>;

const kept = (lines: readonly string[]) => `keep:\n${lines.map((line) => `  - { ${line}, approval: guarded }\n`).join('')}`;
const leadRules = `spawners: [owner]\nelsewhere: true\nfolders: [${leadHome.workFolder}]\n${kept([`name: Lead, provider: claude, folder: ${leadHome.workFolder}`])}`;
const workerRules = `labels: [workers]\nspawners: [other-agents]\nfolders: [${workerHome.workFolder}]\n${kept([
  `name: Coder, provider: codex, folder: ${workerHome.workFolder}`,
  `name: Scout, provider: gemini, folder: ${workerHome.workFolder}`,
])}`;

const clientOf = () => createNodeRelayClient({ url: `http://127.0.0.1:${port}`, token });
const startRelay = () => startAgentRelay({ home: relayHome, port, args: ['--no-local-node'] });

async function follow(): Promise<void> {
  await using client = clientOf();
  for await (const event of client.events({ after: 0, signal: following.signal })) followed.push(event);
}

beforeAll(async () => {
  port = await freePort();
  relay = await startRelay();
  token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  follower = follow();
  const leadEnv = await agentEnvironment(leadHome, anthropic, openAi);
  const workerEnv = await withGemini(workerHome, google, await agentEnvironment(workerHome, anthropic, openAi));
  machines.push(
    await Machine.pairWith(relay, { name: 'desk', home: leadHome, env: leadEnv, rules: leadRules }),
    await Machine.pairWith(relay, { name: 'farm', home: workerHome, env: workerEnv, rules: workerRules }),
  );
  for (const machine of machines) machine.start();
  await using client = clientOf();
  const offers = async (machine: string, provider: string) =>
    (await client.nodes.list({})).data.some(
      ({ name, status, providers }) =>
        name === machine && status === 'online' && providers.some(({ id, available }) => id === provider && available),
    );
  // A machine that is busy has not found all of its CLIs at once.
  for (const [machine, provider] of [
    ['desk', 'claude'],
    ['farm', 'codex'],
    ['farm', 'gemini'],
  ] as const)
    await until(`${provider} on ${machine}`, () => offers(machine, provider), FOUND_MS);
}, 2 * FOUND_MS);

afterAll(async () => {
  following.abort();
  await follower?.catch(() => {});
  for (const machine of machines) await machine.close();
  await relay?.end();
  for (const fake of [anthropic, openAi, google]) await fake.close();
  for (const home of homes) await home.remove();
});

/** Under one key, until the relay has answered. */
async function send(to: AgentName, body: string): Promise<number> {
  await using client = clientOf();
  const idempotencyKey = crypto.randomUUID();
  const id = await until(`a message to ${to} to be stored`, async () => {
    try {
      return (await client.messages.send({ to: `id:${to}`, body, idempotencyKey })).id;
    } catch (error) {
      if (error instanceof RelayError && error.retryable) return null;
      throw error;
    }
  });
  sent.get(to)?.push(id);
  return id;
}

async function approve(agentId: AgentName): Promise<void> {
  await using client = clientOf();
  const find = async () => (await client.approvals.list({ status: 'pending' })).data.find((question) => question.agentId === agentId);
  const asked = await until(`a question of ${agentId}`, find, PATIENCE_MS);
  expect(await relay.run('approve', asked.approvalId)).toMatchObject({ code: 0 });
}

const fileOf = (name: string) => readFile(join(workerHome.workFolder, name), 'utf8').catch(() => null);

test(
  'Lead, a real Claude Code on one machine, starts a real Codex and a real Gemini CLI on another, and they work and answer',
  async () => {
    const start = (name: string, provider: string) =>
      `call relay_spawn ${JSON.stringify({ name, provider, nodeLabels: ['workers'], cwd: workerHome.workFolder })}`;
    const task = `${start('Coder', 'codex')} && then ${start('Scout', 'gemini')} && then say: both are there`;
    const where = ['--node', 'desk', '--cwd', leadHome.workFolder, '--approval', 'guarded'];
    expect(await relay.run('spawn', 'claude', '--name', 'Lead', ...where, '--task', task)).toMatchObject({ code: 0 });
    await using client = clientOf();
    const nodes = (await client.nodes.list({})).data;
    const nodeOf = (name: string) => nodes.find((node) => node.name === name)?.nodeId;
    for (const id of ['Coder', 'Scout'] as const) {
      await until(id, async () => (await client.agents.get({ id }).catch(() => null))?.ready, PATIENCE_MS);
      const { data } = await client.sessions.list({ agent: id, status: 'running' });
      expect(data).toMatchObject([{ spawnedBy: 'Lead', nodeId: nodeOf('farm'), cwd: workerHome.workFolder }]);
    }
    const order = (to: string, file: string) => {
      const answer = `call relay_send ${JSON.stringify({ to: 'Lead', body: `${file} is there` })}`;
      return `call relay_send ${JSON.stringify({ to, body: `edit file: ${file} | by ${to} && then ${answer}` })}`;
    };
    await send('Lead', `${order('Coder', 'coded.txt')} && then ${order('Scout', 'scouted.txt')}`);
    await Promise.all([approve('Coder'), approve('Scout')]);
    for (const [from, file] of [
      ['Coder', 'coded.txt'],
      ['Scout', 'scouted.txt'],
    ] as const) {
      const answer = await until(`the answer of ${from}`, async () => (await client.messages.list({ from })).data[0]);
      expect(answer).toMatchObject({ to: 'id:Lead', body: `${file} is there` });
      expect(await fileOf(file)).toBe(`by ${from}\n`);
      await until('Lead to have seen it', async () => (await client.messages.deliveries({ id: answer.id })).data[0]?.state === 'seen');
    }
    for (const fake of [anthropic, openAi, google]) fake.assertNoViolations();
  },
  5 * PATIENCE_MS,
);

test('what an agent asks of a person while the relay is away is answered afterwards', async () => {
  await send('Coder', 'slow 20 100 && then edit file: asked.txt | allowed');
  await using client = clientOf();
  await until('its turn', async () => (await client.agents.get({ id: 'Coder' })).status === 'busy');
  await relay.end('SIGKILL');
  await until('its question', () => machines[1]?.keepsForLater('"approval.requested"'));
  expect(await fileOf('asked.txt')).toBeNull();
  relay = await startRelay();
  await approve('Coder');
  await until('what it was allowed', async () => (await fileOf('asked.txt')) === 'allowed\n');
});

/** With how the agent stands and what the machines said last: it is not there any more when somebody looks. */
async function tellWhy(id: AgentName, cause: unknown): Promise<never> {
  await using client = clientOf();
  const agent = await client.agents.get({ id }).catch(messageOf);
  const sessions = await client.sessions.list({ agent: id }).then(({ data }) => data.slice(0, 5), messageOf);
  const words = machines.map(({ name, said }) => `${name}: ${said}`).join('\n');
  throw new Error(`${messageOf(cause)}\n${JSON.stringify({ agent, sessions })}\n${words}`, { cause });
}

/** What can go wrong between them, each until it is over. */
function faultsOf(random: Random): Readonly<Record<string, () => Promise<void>>> {
  const [desk, farm] = machines;
  const cut = (machine: Machine | undefined) => async () => {
    machine?.cut();
    await pause(random() * 1_500);
    machine?.restore();
  };
  const kill = (machine: Machine | undefined) => async () => {
    await machine?.end('SIGKILL');
    machine?.start();
  };
  const killRelay = async () => {
    await relay.end('SIGKILL');
    relay = await startRelay();
  };
  return { 'cut desk': cut(desk), 'cut farm': cut(farm), 'kill desk': kill(desk), 'kill farm': kill(farm), 'kill relay': killRelay };
}

test(
  `links are cut, the relay and both machines are killed: no event and no message is lost or doubled, and who should live is back (seed ${seed})`,
  async () => {
    const random = seeded(seed);
    const faults = faultsOf(random);
    const names = Object.keys(faults);
    const byChance = Array.from({ length: moreFaults }, () => names[Math.floor(random() * names.length)] ?? '');
    const order = [...names, ...byChance].map((name) => ({ name, at: random() })).sort((one, other) => one.at - other.at);
    for (const [round, { name }] of order.entries()) {
      for (const agent of agents) await send(agent, `say: before ${round}, ${name}`);
      await pause(random() * 600);
      await faults[name]?.();
    }

    await using client = clientOf();
    const lives = async (id: AgentName) => {
      const { data } = await client.sessions.list({ agent: id, status: 'running' }).catch(() => ({ data: [] }));
      const agent = await client.agents.get({ id }).catch(() => null);
      return data.length === 1 && agent?.status !== 'offline' && agent?.ready === true && (agent?.epoch ?? 0) > 1;
    };
    for (const agent of agents) await until(`${agent} to be back`, () => lives(agent), FOUND_MS).catch((cause) => tellWhy(agent, cause));
    const last = await Promise.all(agents.map((agent) => send(agent, 'say: last')));
    for (const id of last)
      await until(
        `message ${id} to be seen`,
        async () => (await client.messages.deliveries({ id })).data[0]?.state === 'seen',
        PATIENCE_MS,
      );

    await client.agents.register({ id: 'End', name: 'End' });
    const { id: end } = await client.messages.send({ to: 'id:End', body: 'the end' });
    const log: RelayEvent[] = [];
    for await (const event of client.events({ after: 0 })) {
      log.push(event);
      if (event.seq >= end) break;
    }
    await until('the follower', () => (followed.at(-1)?.seq ?? 0) >= end);
    const violations = [
      ...judgeFollower(
        followed.filter(({ seq }) => seq <= end),
        log,
      ),
    ];
    for (const agent of agents) violations.push(...(await judgeAgent(client, agent, sent.get(agent) ?? [])));
    expect({ order: order.map(({ name }) => name), violations }).toEqual({ order: expect.any(Array), violations: [] });
  },
  3 * FOUND_MS,
);

test('a clean stop of both machines leaves no process of any agent behind', async () => {
  for (const machine of machines) await machine.end('SIGTERM');
  for (const { home } of machines)
    await until('the agents to be gone', async () => (await processesMentioning(`HOME=${home.home}`)).length === 0);
});
