import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeProcessOf } from '../support/node-process.ts';
import { linkAgentClis, type RunningProgram, startAgentRelay } from '../support/programs.ts';
import { hasTerminals, openTerminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const installer = fileURLToPath(new URL('../../packages/claude-plugin/dist/cli.js', import.meta.url));
const { claude } = agentCliPaths();
const home = await tempHome();
const model = await startFakeAnthropic({ model: wordScript() });
const path = `${await linkAgentClis(home)}:${process.env['PATH']}`;
const env = { ...home.env(), ...model.env(), PATH: path };
let relay: RunningProgram;
let client: RelayClient;

const startRelay = async () => {
  relay = await startAgentRelay({ home, env: { ...model.env(), PATH: path } });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  client = createNodeRelayClient({ url: relay.url, token });
  await until('its machine', async () =>
    (await client.nodes.list()).data.some(
      ({ status, providers }) => status === 'online' && providers.some(({ id, available }) => id === 'claude' && available),
    ),
  );
};

interface Job {
  readonly id: string;
  readonly name: string;
  readonly pid?: number;
  readonly status?: string;
  readonly state?: string;
}
const jobs = async (): Promise<readonly Job[]> => JSON.parse((await run(claude, ['agents', '--json', '--all'], { env })).stdout);
const runningJobs = async () => (await jobs()).filter(({ pid }) => pid !== undefined).map(({ name }) => name);
const spawn = (name: string, ...more: readonly string[]) => relay.run('spawn', 'claude', '--name', name, '--target', 'background', ...more);
const receipt = async (id: number) => (await client.messages.deliveries({ id })).data[0]?.state;

beforeAll(async () => {
  await run(process.execPath, [installer, 'install', '--command', claude], { env });
  await startRelay();
});

afterAll(async () => {
  // Claude's own service, and what it keeps ready, is in this home alone.
  for (const { id } of await jobs()) await run(claude, ['stop', id], { env }).catch(() => {});
  await client.close();
  await relay.end();
  await run(claude, ['daemon', 'stop', '--any'], { env }).catch(() => {});
  await model.close();
  await home.remove();
});

describe('spawn claude --target background', () => {
  test('is an agent with its task, mail and questions, which a person may open, and release ends it', async () => {
    const { code, stdout, stderr } = await spawn('Back', '--task', 'call Bash {"command":"node -p 6*7 > task.txt"} && then say: task done');
    expect(stderr + stdout).toContain('Open it at a terminal of its machine: claude attach');
    expect(code).toBe(0);
    const question = await until('its question', async () => (await client.approvals.list({ agent: 'Back' })).data[0]);
    await client.approvals.resolve({ id: 'Back', approvalId: question.approvalId, outcome: 'allow' });
    await until('its task', () => existsSync(join(home.workFolder, 'task.txt')));
    await until('rest', async () => (await jobs()).find(({ name }) => name === 'Back')?.status === 'idle');

    const hello = await client.messages.send({
      to: 'id:Back',
      body: 'call relay_send {"to":"owner","body":"hello from behind"}',
    });
    await until('its message', async () =>
      (await client.messages.list({ from: 'Back' })).data.find(({ body }) => body === 'hello from behind'),
    );
    await until('the receipt', async () => (await receipt(hello.id)) === 'seen');
    const [session] = (await client.sessions.list({ agent: 'Back' })).data;
    expect(session).toMatchObject({ status: 'running', target: 'background', attach: expect.stringMatching(/^claude attach \w+$/u) });

    if (hasTerminals) {
      await using terminal = await openTerminal([claude, 'attach', session?.attach?.split(' ').at(-1) ?? ''], {
        cwd: home.workFolder,
        env,
      });
      await terminal.shows('task done');
    }
    await client.agents.release({ id: 'Back' });
    expect(await client.agents.get({ id: 'Back' })).toMatchObject({ status: 'offline', sessionId: null });
    expect(await runningJobs()).toEqual([]);
  });

  test('a second one has its own name and token; ended by its user it is over; what a killed machine left is ended', async () => {
    expect(await spawn('Two')).toMatchObject({ code: 0 });
    const mine = await client.messages.send({ to: 'id:Two', body: 'say: two' });
    await until('the receipt', async () => (await receipt(mine.id)) === 'seen');
    const two = (await jobs()).find(({ name, pid }) => name === 'Two' && pid !== undefined);
    await run(claude, ['stop', two?.id ?? ''], { env });
    await until('its end', async () => (await client.agents.get({ id: 'Two' })).sessionId === null);

    expect(await spawn('Left')).toMatchObject({ code: 0 });
    expect(await runningJobs()).toEqual(['Left']);
    await relay.end('SIGKILL');
    process.kill(await until('its machine', () => nodeProcessOf(home)), 'SIGKILL');
    await client.close();
    await startRelay();
    // Claude's service would begin it anew some seconds later, were it not stopped.
    await until('the leftover to be stopped', async () => (await jobs()).find(({ name }) => name === 'Left')?.state === 'stopped');
    await until('its end', async () => (await client.agents.get({ id: 'Left' })).sessionId === null);
  });
});
