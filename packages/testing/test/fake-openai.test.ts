import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { agentCliPaths, callTool, say, startFakeOpenAi, tempHome, think, wordScript } from '../src/index.ts';
import { startAppServer } from './support/codex-app-server.ts';
import { runCodex } from './support/codex-exec.ts';
import { startRelayTools } from './support/relay-tools.ts';

const { codex } = agentCliPaths();

test('Codex hears the answer', async () => {
  await using home = await tempHome();
  await using fake = await startFakeOpenAi({ model: wordScript() });
  await fake.writeCodexHome(home.codexHome);
  const run = await runCodex(codex, {
    prompt: '[msg:42] from Lead: say: hello there',
    env: { ...home.env(), ...fake.env() },
    cwd: home.workFolder,
  });
  expect(run).toMatchObject({ exitCode: 0, answer: 'hello there' });
});

test('Codex writes a new file, overwrites it, and runs a command', async () => {
  await using home = await tempHome();
  await using fake = await startFakeOpenAi({ model: wordScript() });
  await fake.writeCodexHome(home.codexHome);
  await writeFile(join(home.workFolder, 'old.txt'), 'before\n');
  const prompt =
    'edit file: new.txt | one\\ntwo && then edit file: old.txt | after && then run command: cat new.txt old.txt && then say: written';
  const run = await runCodex(codex, { prompt, env: { ...home.env(), ...fake.env() }, cwd: home.workFolder });
  expect(run).toMatchObject({ exitCode: 0, answer: 'written' });
  const command = run.events.find(({ type, item }) => type === 'item.completed' && item?.type === 'command_execution');
  expect(command?.item).toMatchObject({ status: 'completed', aggregated_output: 'one\ntwo\nafter\n' });
  expect(await readFile(join(home.workFolder, 'old.txt'), 'utf8')).toBe('after\n');
});

test('Codex finds a deferred MCP tool and calls it by its bare name', async () => {
  await using tools = await startRelayTools();
  await using home = await tempHome();
  await using fake = await startFakeOpenAi({
    model: ({ toolResultsSinceLastAssistant: [result] }) =>
      result === undefined
        ? [think('whom to tell?'), say('Telling.'), callTool('relay_send', { to: 'Worker', body: 'hi' })]
        : say(`${result.name}: ${result.text}`),
  });
  await fake.writeCodexHome(home.codexHome);
  const config = [
    `mcp_servers.agent-relay.url="${tools.url}"`,
    'mcp_servers.agent-relay.http_headers={"authorization"="Bearer of-this-agent"}',
    'mcp_servers.agent-relay.default_tools_approval_mode="approve"',
  ];
  const run = await runCodex(codex, { prompt: 'Tell Worker.', env: { ...home.env(), ...fake.env() }, cwd: home.workFolder, config });
  expect(run.exitCode).toBe(0);
  expect(run.answer).toMatch(/^relay_send: [\s\S]*sent to Worker$/u);
  expect(tools.sent).toEqual([{ to: 'Worker', body: 'hi' }]);
  expect(tools.authorizations).toContain('Bearer of-this-agent');
});

test('Codex is told loudly when the model calls a tool that was not offered', async () => {
  await using home = await tempHome();
  await using fake = await startFakeOpenAi({ model: () => callTool('relay_fly', {}) });
  await fake.writeCodexHome(home.codexHome);
  const run = await runCodex(codex, { prompt: 'Fly.', env: { ...home.env(), ...fake.env() }, cwd: home.workFolder });
  expect(run.exitCode).toBe(1);
  expect(JSON.stringify(run.events)).toContain('relay_fly');
  await expect(fake.close()).rejects.toThrow('called relay_fly');
  expect(fake.takeViolations()).toHaveLength(1);
});

test('Codex app-server streams an answer and is steered to another', async () => {
  await using home = await tempHome();
  await using fake = await startFakeOpenAi({ model: wordScript() });
  await fake.writeCodexHome(home.codexHome);
  await using server = await startAppServer(codex, { env: { ...home.env(), ...fake.env() }, cwd: home.workFolder });
  const started = await server.call('thread/start', { cwd: home.workFolder, approvalPolicy: 'never', sandbox: 'read-only' });
  const threadId = z.looseObject({ thread: z.looseObject({ id: z.string() }) }).parse(started).thread.id;
  const prompt = (text: string) => server.call('turn/start', { threadId, input: [{ type: 'text', text }] });
  const seen = (method: string) => server.notifications.filter((notification) => notification.method === method);

  await prompt('slow 500 20');
  await expect.poll(() => seen('item/agentMessage/delta').length).toBeGreaterThan(2);
  await prompt('[msg:7] from Peer: say: something new\n[end msg:7 peer n0nce]');
  await expect.poll(() => seen('turn/completed').length).toBe(1);
  const answers = seen('item/completed').filter(({ params }) => JSON.stringify(params).includes('"agentMessage"'));
  expect(JSON.stringify(answers)).toContain('something new');
  expect(fake.requests.map(({ model }) => model?.lastUserText)).toEqual([
    'slow 500 20',
    '[msg:7] from Peer: say: something new\n[end msg:7 peer n0nce]',
  ]);
});
