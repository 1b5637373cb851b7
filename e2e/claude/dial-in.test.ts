import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, freePort, holdUntil, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { type ChildHandle, spawnProcess } from 'agent-relay-wire/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { until } from '../support/until.ts';

const dialProgram = fileURLToPath(new URL('../../packages/claude/dist/cli.js', import.meta.url));
const { claude, claudeDialling } = agentCliPaths();
const words = wordScript();
/** What 2.1.120 asks its hooks while no relay is there reaches nobody: a command comes when the CLI is known to be back. */
let hasDialledAgain: Promise<unknown> = Promise.resolve();
const home = await tempHome();
const model = await startFakeAnthropic({
  model: async (request) =>
    [await words(request)].flat().flatMap((step) => (step.kind === 'runCommand' ? [holdUntil(hasDialledAgain), step] : [step])),
});
const started: ChildHandle[] = [];
let relay: RunningProgram;
let client: RelayClient;
let port: number;

beforeAll(async () => {
  port = await freePort();
  await startRelay();
  await client.agents.register({ id: 'Helper', name: 'Helper' });
});

afterAll(async () => {
  for (const child of started) await child.kill();
  await client.close();
  await relay.end();
  await model.close();
  await home.remove();
});

async function startRelay() {
  relay = await startAgentRelay({ home, env: { ...model.env(), AGENT_RELAY_LOG: 'info' }, port });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  client = createNodeRelayClient({ url: relay.url, token });
}

/** Dies without a word, and is there again. */
async function restartRelay() {
  await client.close();
  await relay.end('SIGKILL');
  await startRelay();
}

type Way = 'sdk-url' | 'dial';

async function dial(command: string, way: Way, { path, token }: { readonly path: string; readonly token?: string }): Promise<ChildHandle> {
  const url = `ws://127.0.0.1:${port}${path}`;
  const byItself = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', '-p', ''];
  const byCommand = [dialProgram, 'dial', '--command', command, '--cwd', home.workFolder, url];
  const child = await spawnProcess({
    ...(way === 'dial' ? { command: process.execPath, args: byCommand } : { command, args: byItself }),
    cwd: home.workFolder,
    env: { ...home.env(), ...model.env(), ...(token === undefined ? {} : { CLAUDE_CODE_SESSION_ACCESS_TOKEN: token }) },
    stdout: 'ignore',
  });
  started.push(child);
  return child;
}

const tokenFor = async (agentId: string) => (await client.tokens.create({ name: agentId, kind: 'agent', agentId })).token;
const isThere = (id: string) =>
  until(`${id} to be there`, async () => (await client.agents.get({ id }).catch(() => null))?.status === 'idle' || undefined);
const ask = (to: string, body: string) => client.messages.send({ from: 'Helper', to: `id:${to}`, body });
const receipt = async (id: number) => (await client.messages.deliveries({ id }).catch(() => ({ data: [] }))).data[0];
const isSeen = (id: number) => until(`message ${id} to be seen`, async () => (await receipt(id))?.state === 'seen' || undefined);
const events = async (id: string) => (await client.agents.activity({ id, limit: 1000 })).data.map(({ event }) => event);
const timesTheModelGot = (text: string) =>
  new Set(
    model.requests.flatMap(({ body }) => {
      const { messages = [] } = (body ?? {}) as { messages?: { role: string; content: unknown }[] };
      return messages.flatMap(({ role, content }, at) => (role === 'user' && JSON.stringify(content).includes(text) ? [at] : []));
    }),
  ).size;

const ways = [
  ['2.1.120 by --sdk-url', claudeDialling, 'sdk-url'],
  ['the newest by dial', claude, 'dial'],
] as const;

describe.each(ways.filter(([, command]) => command !== undefined))('Claude Code %s', (_name, command = '', way) => {
  const agent = `Lead-${way}`;

  test('goes on through restarts of its relay, in mid-answer and with a question open, and ends with its release', async () => {
    const child = await dial(command, way, { path: `/claude/${agent}`, token: await tokenFor(agent) });
    await isThere(agent);
    let goOn = () => {};
    hasDialledAgain = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = await ask(agent, `slow 100 100 && then run command: touch a.txt && then say: all of ${agent}`);
    await until('the answer to begin', async () => (await client.agents.get({ id: agent })).status === 'busy' || undefined);
    await isSeen(slow.id);
    await restartRelay();
    await until('it to dial again', () => relay.output().includes('a program dialled in'));
    goOn();
    const open = await until('the question', async () => (await client.approvals.list({ agent })).data[0]);
    await restartRelay();
    await until('the question after the restart', async () => (await client.agents.get({ id: agent }).catch(() => null))?.nodeId);
    await until('the answer to be taken', () =>
      client.approvals.resolve({ id: agent, approvalId: open.approvalId, outcome: 'allow' }).then(
        () => true,
        () => undefined,
      ),
    );
    await until('the end of the turn', async () =>
      (await events(agent)).find((event) => event.type === 'turn.completed' && event.text === `all of ${agent}`),
    );
    const told = await events(agent);
    const words = told.flatMap((event) =>
      event.type === 'text.completed' && event.text.startsWith('word001') ? [event.text.trim().split(' ').length] : [],
    );
    expect(words).toEqual([100]);
    expect(told.filter(({ type }) => type === 'turn.started')).toHaveLength(1);
    expect(told.filter(({ type }) => type === 'session.ended')).toEqual([]);
    expect((await client.sessions.list({ agent })).data.map(({ status }) => status)).toEqual(['running']);
    expect(timesTheModelGot(`all of ${agent}`)).toBe(1);

    await client.agents.release({ id: agent });
    expect((await child.exited).code).toBe(0);
    expect(await client.agents.get({ id: agent })).toMatchObject({ status: 'offline', sessionId: null });
  });
});
