import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { AgentEvent, RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, startFakeGoogle, tempHome, wordScript } from 'agent-relay-testing';
import { commandLineOf } from 'agent-relay-wire/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processesMentioning, type RunningProgram, startAgentRelay } from './support/programs.ts';
import { until, untilGranted, untilMachine } from './support/until.ts';

const home = await tempHome();
const google = await startFakeGoogle({ model: wordScript() });
let relay: RunningProgram;
let client: RelayClient;

beforeAll(async () => {
  await google.writeGeminiHome(home.home);
  const bin = await home.makeFolder('bin');
  await symlink(agentCliPaths().gemini, join(bin, 'gemini'));
  relay = await startAgentRelay({ home, env: { ...google.env(), PATH: [bin, process.env['PATH'] ?? ''].join(delimiter) } });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  client = createNodeRelayClient({ url: relay.url, token });
  await untilMachine(client);
});

afterAll(async () => {
  await client.close();
  await relay.end();
  await home.remove();
  await google.close();
});

test('doctor says which Gemini CLI is there, and how to install what is not', async () => {
  const { stdout } = await until('the node', async () => {
    const told = await relay.run('doctor');
    return /gemini: /u.test(told.stdout) && told;
  });
  expect(stdout).toMatch(/gemini: available, 0\.61\.0/u);
  expect(stdout).toMatch(/not there: claude, codex, .*; agent-relay providers says how to install each/u);
  const told = await relay.run('providers');
  expect(told.stdout).toMatch(/claude .*npm install -g @anthropic-ai\/claude-code/u);
});

test('a real Gemini CLI is spawned, does what mail says with a receipt, uses the relay, and is released without a trace', async () => {
  const spawned = await untilGranted('room for Gem', async () => {
    const { code, stderr } = await relay.run('spawn', 'gemini', '--name', 'Gem');
    if (code !== 0) throw new Error(stderr);
    return true;
  });
  expect(spawned).toBe(true);
  const words = 'edit file: greeting.txt | hello from Gem && then call relay_send {"to":"owner","body":"it is written"} && then say: done';
  const { cursor } = await client.messages.cursor();
  const sent = await client.messages.send({ to: 'Gem', body: words, waitFor: { state: 'seen', timeoutMs: 60_000 } });
  expect(sent.waited).toMatchObject({ reached: true });
  expect((await client.messages.deliveries({ id: sent.id })).data).toMatchObject([{ agentId: 'Gem', state: 'seen', evidence: 'turn' }]);
  const told = await until('its message', async () => (await client.messages.list({ from: 'Gem', since: cursor })).data[0]);
  expect(told).toMatchObject({ body: 'it is written' });
  await said('Gem', 'done');
  expect(await readFile(join(home.workFolder, 'greeting.txt'), 'utf8')).toBe('hello from Gem\n');
  expect(await geminis()).toHaveLength(1);
  await client.agents.release({ id: 'Gem' });
  await until('the end of its process', async () => (await geminis()).length === 0);
});

test('an urgent message interrupts its turn, and an interrupt stops it', async () => {
  await spawn('Busy');
  await client.messages.send({ to: 'Busy', body: 'slow 200 200' });
  await until('the turn', async () => (await client.agents.get({ id: 'Busy' })).status === 'busy');
  const body = 'say: dropped everything';
  const urgent = await client.messages.send({ to: 'Busy', body, mode: 'urgent', waitFor: { state: 'seen', timeoutMs: 60_000 } });
  expect(urgent.waited).toMatchObject({ reached: true });
  await said('Busy', 'dropped everything');
  await client.messages.send({ to: 'Busy', body: 'slow 200 200' });
  await until('the next turn', async () => (await client.agents.get({ id: 'Busy' })).status === 'busy');
  expect(await client.agents.interrupt({ id: 'Busy' })).toEqual({ interrupted: true });
  await until(
    'its end',
    async () => (await ofType('Busy', 'turn.completed')).filter(({ outcome }) => outcome === 'interrupted').length === 2,
  );
  await client.agents.release({ id: 'Busy' });
});

test('a guarded one asks before it does what mail says, and runs the command once a person allowed it', async () => {
  await spawn('Guarded', { approval: 'guarded' });
  const trace = join(home.workFolder, 'trace.txt');
  await client.messages.send({ to: 'Guarded', body: `run command: echo ran >> ${trace} && then say: ran it` });
  const asked = await until('its question', async () =>
    (await client.approvals.list({ status: 'pending' })).data.find(({ agentId }) => agentId === 'Guarded'),
  );
  expect(asked).toMatchObject({ kind: 'execute', title: expect.stringContaining(trace) });
  expect(existsSync(trace)).toBe(false);
  expect(await relay.run('approve', asked.approvalId)).toMatchObject({ code: 0 });
  await said('Guarded', 'ran it');
  expect(await readFile(trace, 'utf8')).toBe('ran\n');
  await client.agents.release({ id: 'Guarded' });
  await until('the end of its process', async () => (await geminis()).length === 0);
});

async function spawn(name: string, more: { readonly approval?: 'guarded' } = {}): Promise<void> {
  await untilGranted(`room for ${name}`, () => client.sessions.start({ name, provider: 'gemini', cwd: home.workFolder, ...more }));
}

async function ofType<Type extends AgentEvent['type']>(id: string, type: Type): Promise<readonly Extract<AgentEvent, { type: Type }>[]> {
  const { data } = await client.agents.activity({ id, newest: true, limit: 500 });
  return data.flatMap(({ event }) => (event.type === type ? [event as Extract<AgentEvent, { type: Type }>] : [])); // its type was compared
}

const said = (id: string, words: string) =>
  until(`${id} to say ${words}`, async () => (await ofType(id, 'text.completed')).some(({ text }) => text === words));

/** The processes of Gemini CLIs, and of what they run, in this home. */
async function geminis(): Promise<readonly string[]> {
  const lines = await Promise.all((await processesMentioning(`HOME=${home.home}`)).map((pid) => commandLineOf(pid)));
  return lines.map((words) => words?.join(' ') ?? '').filter((line) => line.includes('gemini') && line.includes('--acp'));
}
