import { readdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { commandLineOf } from 'agent-relay-wire/node';
import { afterAll, describe, expect, test } from 'vitest';
import { codexVersions } from './support/codex-daemon.ts';
import { linkAgentClis, processesMentioning } from './support/programs.ts';
import { hasTerminals, openTerminal } from './support/terminal.ts';
import { until } from './support/until.ts';

const program = fileURLToPath(new URL('../packages/codex-plugin/dist/codex-relay.js', import.meta.url));
const home = await tempHome();
const model = await startFakeOpenAi({ model: wordScript() });
const relay = await startTestRelay();
const client: RelayClient = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
await model.writeCodexHome(home.codexHome);
const bin = await linkAgentClis(home);
const general = {
  ...home.env(),
  ...model.env(),
  PATH: [bin, process.env['PATH']].join(delimiter),
  AGENT_RELAY_URL: relay.url,
  AGENT_RELAY_TOKEN: relay.ownerToken,
  DB_PATH: relay.databasePath,
};

afterAll(async () => {
  await client.close();
  await relay.close();
  model.assertNoViolations();
  await model.close();
  await home.remove();
});

const agents = async () => (await client.agents.list({})).data.filter(({ provider }) => provider === 'codex');
/** The app-server among the processes that carry this mark. */
async function serverOf(mark: string): Promise<number> {
  for (const pid of await processesMentioning(mark)) {
    if ((await commandLineOf(pid))?.includes('app-server')) return pid;
  }
  throw new Error('there is no app-server');
}

/** They are stored once they have been told who they are. */
const conversations = async () =>
  (await readdir(join(home.codexHome, 'sessions'), { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.jsonl'));

const receipt = async (id: number) => (await client.messages.deliveries({ id })).data[0];

describe.runIf(hasTerminals).each(codexVersions)('codex-relay with Codex %s', (_, command) => {
  const env = { ...general, PATH: [dirname(command), general.PATH].join(delimiter) };

  test('is an agent: its person types on while mail arrives, and nothing is left when Codex ends', async () => {
    const mark = `codex-relay-e2e-${process.pid}`;
    const before = (await conversations()).length;
    await using terminal = await openTerminal([process.execPath, program], {
      cwd: home.workFolder,
      env: { ...env, AGENT_RELAY_LABEL: 'tester', E2E_MARK: mark },
    });
    await terminal.shows('OpenAI Codex');
    const agent = await until('the agent', async () => (await agents()).find(({ status }) => status !== 'offline'));
    expect(agent).toMatchObject({ provider: 'codex', label: 'tester', tags: ['codex'], protected: true });

    await terminal.type('half a draft');
    await terminal.shows('half a draft');
    const sent = await client.messages.send({ to: `id:${agent.id}`, body: 'run command: env && then say: the mail is here' });
    await terminal.shows('• the mail is here');
    // Codex draws what it shows bit by bit.
    await terminal.shows(`[msg:${sent.id}] from owner`);
    await terminal.shows(/› half a draft\s*\n/u);
    expect(await until('the receipt', async () => (await receipt(sent.id))?.state === 'seen' && (await receipt(sent.id)))).toMatchObject({
      evidence: 'turn',
    });
    // Codex's server dies: it is started again where the terminal looks for it, and the conversation goes on.
    const server = await serverOf(mark);
    process.kill(server, 'SIGKILL');
    await until('another server', async () => (await serverOf(mark).catch(() => server)) !== server);
    await client.messages.send({ to: `id:${agent.id}`, body: 'say: after its death' });
    await terminal.shows('• after its death');
    await terminal.shows('› half a draft');

    // Mail follows its person into another conversation.
    await terminal.press('C-u');
    await terminal.type('/new');
    // Enter before Codex has seen that this is a command would be part of a pasted text.
    await terminal.shows(/\/new\s{2,}\S/u);
    await terminal.press('Enter');
    await until('an empty screen', async () => !(await terminal.screen()).includes('after its death'));
    await until('another conversation', async () => (await conversations()).length === before + 2);
    await client.messages.send({ to: `id:${agent.id}`, body: 'say: in the new one' });
    await terminal.shows('• in the new one');
    await terminal.press('C-u');
    await terminal.type('/quit');
    await terminal.shows(/\/quit\s{2,}\S/u);
    await terminal.press('Enter');
    expect(await terminal.exitCode()).toBe(0);
    expect((await client.agents.get({ id: agent.id })).status).toBe('offline');
    expect(await processesMentioning(mark)).toEqual([]);
  });

  test('without a terminal it prints how to look in, and whoever does sees what the agent was told', async () => {
    await using session = await openTerminal([process.execPath, program, '--headless'], { cwd: home.workFolder, env });
    const [, address = '', thread = ''] =
      /codex resume --remote (unix:\S+)\s+(\S+)/u.exec(await session.shows('codex resume --remote')) ?? [];
    const agent = await until('the agent', async () => (await agents()).find(({ status }) => status !== 'offline'));
    await using terminal = await openTerminal([command, 'resume', '--remote', address, thread], { cwd: home.workFolder, env });
    await terminal.shows('OpenAI Codex');
    await client.messages.send({ to: `id:${agent.id}`, body: 'say: seen by both' });
    await terminal.shows('• seen by both');
    await session.press('C-c');
    expect(await session.exitCode()).toBe(0);
    expect((await client.agents.get({ id: agent.id })).status).toBe('offline');
  });
});
