import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { AgentEvent, RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, startFakeAnthropic, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { commandLineOf } from 'agent-relay-wire/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentEnvironment, processesMentioning, type RunningProgram, startAgentRelay } from './support/programs.ts';
import { until, untilGranted, untilMachine } from './support/until.ts';

const home = await tempHome();
const anthropic = await startFakeAnthropic({ model: wordScript() });
const openAi = await startFakeOpenAi({ model: wordScript() });
const port = await freePort();
let env: Record<string, string>;
let relay: RunningProgram;
let client: RelayClient;

beforeAll(async () => {
  env = await agentEnvironment(home, anthropic, openAi);
  relay = await startAgentRelay({ home, env, port });
  client = await connect();
});

afterAll(async () => {
  await client.close();
  await relay.end();
  await home.remove();
  await anthropic.close();
  await openAi.close();
});

test.each(['claude', 'codex', 'codex-exec'])('%s speaks to others by text triggers, by line, by block and by file', async (provider) => {
  const name = `Writer-${provider}`;
  const { cwd } = await spawn(name, provider);
  await mkdir(join(cwd, '.agent-relay', 'outbox'), { recursive: true });
  await writeFile(join(cwd, '.agent-relay', 'outbox', 'note'), 'TO: owner\n\nfrom a file');
  const words = [
    '->relay:owner one line',
    '->relay:owner <<<',
    'two',
    'lines',
    '>>>',
    '```',
    '->relay:owner quoted, not sent',
    '```',
    '->relay-file:note',
  ];
  const { cursor } = await client.messages.cursor();
  await client.messages.send({ to: name, body: `say: ${words.join('\\n')}` });
  const sent = await until('three messages', async () => {
    const { data } = await client.messages.list({ from: name, since: cursor });
    return data.length >= 3 && data;
  });
  expect(sent.map(({ body }) => body)).toEqual(['one line', 'two\nlines', 'from a file']);
  await client.agents.release({ id: name });
});

test('a spawn file with TRANSPORT: cli starts codex exec, and its release leaves nothing', async () => {
  const { cwd } = await spawn('Foreman', 'codex');
  await mkdir(join(cwd, '.agent-relay', 'outbox'), { recursive: true });
  const helper = ['KIND: spawn', 'NAME: Helper', 'CLI: codex', 'TRANSPORT: cli  # a process for each prompt', '', 'say: at your service'];
  await writeFile(join(cwd, '.agent-relay', 'outbox', 'helper'), helper.join('\n'));
  await client.messages.send({ to: 'Foreman', body: 'say: ->relay-file:helper' });
  await until('its first answer', async () =>
    (await activity('Helper').catch(() => [])).some((event) => event.type === 'text.completed' && event.text === 'at your service'),
  );
  expect((await client.agents.get({ id: 'Helper' })).provider).toBe('codex-exec');
  await client.messages.send({ to: 'Helper', body: 'run command: sleep 300' });
  await until('its command', async () => (await activity('Helper')).some(({ type }) => type === 'tool.started'));
  const { sessionId } = (await client.sessions.list({ agent: 'Helper' })).data[0] ?? { sessionId: '' };
  expect(await processesMentioning(sessionId)).not.toEqual([]);
  await client.agents.release({ id: 'Helper' });
  expect(await processesMentioning(sessionId)).toEqual([]);
  await client.agents.release({ id: 'Foreman' });
});

test.each(['claude', 'codex'])('%s lives through the death of its relay, and what it did meanwhile arrives once', async (provider) => {
  const name = `Survivor-${provider}`;
  await spawn(name, provider);
  await client.messages.send({ to: name, body: 'slow 20 100 && then say: still here' });
  await until('the turn', async () => (await client.agents.get({ id: name })).status === 'busy');
  await relay.end('SIGKILL');
  // The agent goes on under a relay on another port, and in another environment than its own.
  relay = await startAgentRelay({ home, env: { ...env, PATH: [env['PATH'], home.directory].join(delimiter) } });
  await client.close();
  client = await connect();
  await untilMachine(client);
  const told = /^ok +Relay .*localNode: .*with the PATH and settings of an earlier start/mu;
  await until('the word about its node', async () => told.test((await relay.run('doctor')).stdout));
  const texts = async () =>
    (await activity(name)).flatMap((event) => (event.type === 'text.completed' && event.text === 'still here' ? [event.text] : []));
  await until('the end of the turn', async () => (await texts()).length > 0);
  await client.messages.send({ to: name, body: 'say: and working' });
  await until('an answer after it', async () =>
    (await activity(name)).some((event) => event.type === 'text.completed' && event.text === 'and working'),
  );
  expect(await texts()).toEqual(['still here']);
  await client.agents.release({ id: name });
});

test('an urgent message interrupts the turn of codex, and an interrupt stops it', async () => {
  const name = 'Busy';
  await spawn(name, 'codex');
  await client.messages.send({ to: name, body: 'slow 200 200' });
  await until('the turn', async () => (await client.agents.get({ id: name })).status === 'busy');
  const urgent = await client.messages.send({
    to: name,
    body: 'say: dropped everything',
    mode: 'urgent',
    waitFor: { state: 'seen', timeoutMs: 60_000 },
  });
  expect(urgent.waited).toMatchObject({ reached: true });
  await until('the answer', async () =>
    (await activity(name)).some((event) => event.type === 'text.completed' && event.text === 'dropped everything'),
  );
  await until('the end of the turn', async () => (await client.agents.get({ id: name })).status === 'idle');
  expect(await client.agents.interrupt({ id: name })).toEqual({ interrupted: false });
  await client.messages.send({ to: name, body: 'slow 200 200' });
  await until('the next turn', async () => (await client.agents.get({ id: name })).status === 'busy');
  expect(await client.agents.interrupt({ id: name })).toEqual({ interrupted: true });
  await until(
    'its end',
    async () => (await activity(name)).filter((event) => event.type === 'turn.completed' && event.outcome === 'interrupted').length >= 1,
  );
  await client.agents.release({ id: name });
});

test('agents left behind by a killed node are ended by the next one, and their addresses keep their mail', async () => {
  await spawn('Orphan', 'claude');
  const node = await processesMentioning(`HOME=${home.home}`);
  const connectPid = await findProcess(node, 'relay-connect', 'connect/dist/cli.js');
  process.kill(connectPid, 'SIGKILL');
  await until('the orphan to be offline', async () => (await client.agents.get({ id: 'Orphan' })).status === 'offline');
  const claudes = async () =>
    (await Promise.all((await processesMentioning(`HOME=${home.home}`)).map(commandLine))).filter((line) => /\/claude(?:\s|$)/u.test(line));
  await until('its process to be gone', async () => (await claudes()).length === 0);
  await client.messages.send({ to: 'id:Orphan', body: 'say: got my mail' });
  await spawn('Orphan', 'claude');
  await until('the mail', async () =>
    (await activity('Orphan')).some((event) => event.type === 'text.completed' && event.text === 'got my mail'),
  );
  await client.agents.release({ id: 'Orphan' });
});

test('an agent may spawn only in its own folder or below', async () => {
  await spawn('Parent', 'claude');
  const outcomes = async () => (await activity('Parent')).filter((event) => event.type === 'tool.completed');
  const attempt = async (name: string, cwd: string) => {
    const before = (await outcomes()).length;
    await client.messages.send({ to: 'Parent', body: `call relay_spawn ${JSON.stringify({ name, provider: 'codex', cwd })}` });
    return until('the outcome', async () => (await outcomes())[before]);
  };
  expect(await attempt('Outside', '/')).toMatchObject({ outcome: 'failed' });
  await mkdir(join(home.workFolder, 'below'));
  expect(await attempt('Inside', join(home.workFolder, 'below'))).toMatchObject({ outcome: 'succeeded' });
  await client.agents.release({ id: 'Inside' });
  await client.agents.release({ id: 'Parent' });
});

test('what is not installed is said in one sentence, and everything else works', async () => {
  const bare = join(home.directory, 'bare-bin');
  await mkdir(bare);
  await symlink(process.execPath, join(bare, 'node'));
  const lonely = await tempHome();
  try {
    const path = [bare, ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('agents'))].join(delimiter);
    await using other = await startAgentRelay({ home: lonely, env: { PATH: path } });
    for (const [provider, hint] of [
      ['claude', 'npm install -g @anthropic-ai/claude-code'],
      ['codex', 'npm install -g @openai/codex'],
      ['gemini', 'npm install -g @google/gemini-cli'],
    ] as const) {
      const { code, stderr } = await other.run('spawn', provider, '--name', 'Nobody');
      expect(code).toBe(1);
      expect(stderr).toContain(hint);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
    expect(await other.run('send', 'owner', 'still works')).toMatchObject({ code: 0 });
  } finally {
    await lonely.remove();
  }
});

async function connect(): Promise<RelayClient> {
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  return createNodeRelayClient({ url: relay.url, token });
}

async function spawn(name: string, provider: string): Promise<{ readonly cwd: string }> {
  const { cwd } = await untilGranted(`room for ${name}`, () => client.sessions.start({ name, provider, cwd: home.workFolder }));
  return { cwd: cwd ?? '' };
}

const activity = async (id: string): Promise<readonly AgentEvent[]> =>
  (await client.agents.activity({ id, newest: true, limit: 500 })).data.map(({ event }) => event);

const commandLine = async (pid: number): Promise<string> => (await commandLineOf(pid))?.join(' ') ?? '';

async function findProcess(pids: readonly number[], what: string, text: string): Promise<number> {
  for (const pid of pids) if ((await commandLine(pid)).includes(text)) return pid;
  throw new Error(`there is no ${what} among the processes`);
}
