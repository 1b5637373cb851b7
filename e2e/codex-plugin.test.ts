import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { startTestRelay } from 'agent-relay-server/testing';
import { startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkAgentClis } from './support/programs.ts';
import { until } from './support/until.ts';

const home = await tempHome();
const model = await startFakeOpenAi({ model: wordScript() });
const relay = await startTestRelay();
const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
const bin = join(home.directory, 'bin');
const env: Record<string, string> = {
  ...home.env(),
  ...model.env(),
  PATH: [bin, process.env['PATH']].join(delimiter),
  SHELL: '/bin/bash',
  AGENT_RELAY_URL: relay.url,
  AGENT_RELAY_TOKEN: relay.ownerToken,
};
const relayProgram = fileURLToPath(new URL('../packages/codex-plugin/dist/codex-relay.js', import.meta.url));
const state = join(home.home, '.local', 'state', 'agent-relay');

beforeAll(async () => {
  await model.writeCodexHome(home.codexHome);
  await linkAgentClis(home);
  const programs = { 'agent-relay-codex': '../packages/codex-plugin/dist/cli.js', 'agent-relay': '../packages/server/dist/cli.js' };
  for (const [name, path] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${fileURLToPath(new URL(path, import.meta.url))}" "$@"\n`);
    await chmod(join(bin, name), 0o755);
  }
  // Codex's shells are login shells.
  await writeFile(join(home.home, '.profile'), `PATH="${bin}:$PATH"\n`);
});

afterAll(async () => {
  await owner.close();
  await relay.close();
  model.assertNoViolations();
  await model.close();
  await home.remove();
});

function run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { env, cwd: home.workFolder, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, output: stdout + stderr }),
    );
    child.stdin?.end();
  });
}

const cli = (...args: readonly string[]) => run(join(bin, 'agent-relay-codex'), args);
const exec = (prompt: string, ...args: readonly string[]) => run(join(bin, 'codex'), ['exec', '--skip-git-repo-check', ...args, prompt]);
const sent = () => model.requests.map(({ model: request }) => JSON.stringify(request?.conversation ?? [])).join('\n');
const agents = async () => (await owner.agents.list({})).data.filter(({ provider }) => provider === 'codex');
/** Nobody waits for it that the end of a plain session is told. */
const sessionsAreOver = () =>
  until('the end of the sessions', async () => {
    const stored = await readdir(join(state, 'codex-sessions')).catch(() => []);
    return stored.length === 0 && (await agents()).every(({ status }) => status === 'offline');
  });

test('is looked at before it is there, and what an install would do is shown', async () => {
  expect(await cli('doctor')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/ok\s+codex-cli .*\n[\s\S]*note\s+the plugin is not installed/u),
  });
  const dry = await cli('install', '--dry-run', '--alias', '--allow-commands');
  expect(dry.output).toMatch(
    /run {4}\S+codex plugin add agent-relay@agent-relay\n[\s\S]*agent-relay\.rules\nadd to \S+\.bashrc: .*Nothing was changed/su,
  );
  expect(existsSync(join(home.codexHome, 'plugins'))).toBe(false);
});

test('an install by a command that nobody will find again says what the hooks need', async () => {
  const folder = await home.makeFolder('codex-alone');
  await symlink(join(bin, 'codex'), join(folder, 'codex'));
  const program = fileURLToPath(new URL('../packages/codex-plugin/dist/cli.js', import.meta.url));
  const { code, output } = await run('/usr/bin/env', [`PATH=${folder}:/usr/bin:/bin`, process.execPath, program, 'install']);
  expect([code, output]).toEqual([0, expect.stringContaining('the plugin’s hooks need it: npm install -g agent-relay-codex')]);
  expect((await cli('install')).output).not.toContain('hooks need it');
});

test('once installed its hooks are not run before somebody trusts them', async () => {
  expect(await cli('install')).toMatchObject({
    code: 0,
    output: expect.stringContaining('does not run the plugin’s hooks until you trust them'),
  });
  expect((await run(join(bin, 'codex'), ['plugin', 'list', '--json'])).output).toContain('"pluginId": "agent-relay@agent-relay"');
  expect((await exec('say: nobody')).code).toBe(0);
  expect(await agents()).toEqual([]);
  expect((await cli('doctor')).output).toContain('note  its hooks do not run until you trust them');
});

test('a plain session with trusted hooks is an agent: mail comes at the end of its turn, its tools and its shell speak as it', async () => {
  expect((await cli('install', '--trust-hooks', '--allow-commands')).code).toBe(0);
  expect((await cli('doctor')).output).toMatch(/ok\s+its hooks are trusted\nok\s+the relay’s message commands may leave the sandbox/u);
  const program = join(bin, 'agent-relay-codex');
  const session = exec(
    // It goes on once the mail is there.
    `run command: until [ -e sent ]; do sleep 0.1; done && then run command: ${program} run /message owner 'from a sandboxed shell' && then say: first`,
    '--sandbox',
    'workspace-write',
  );
  const agent = await until('the agent', async () => (await agents())[0]);
  await until('a turn', async () => (await owner.agents.get({ id: agent.id })).status === 'busy');
  const { id } = await owner.messages.send({
    to: `id:${agent.id}`,
    body: 'call relay_send {"to":"owner","body":"from a tool"} && then say: second',
  });
  await writeFile(join(home.workFolder, 'sent'), '');
  const { code, output } = await session;
  expect([code, output]).toEqual([0, expect.stringContaining('hook: Stop Blocked')]);
  expect(sent()).toContain(`Agent Relay active. Your agent ID: ${agent.id}\\nRelay URL: ${relay.url} | Server: ${RELAY_VERSION}`);
  expect(sent()).toContain(`${program} run /message <agent>`);
  const said = (await owner.messages.list({})).data.filter(({ from }) => from === agent.id);
  expect(said.map(({ body, sender }) => [body, sender.principal])).toEqual([
    ['from a sandboxed shell', `agent:${agent.id}`],
    ['from a tool', `agent:${agent.id}`],
  ]);
  expect((await owner.messages.deliveries({ id })).data).toMatchObject([{ state: 'delivered', evidence: 'accepted' }]);
  await sessionsAreOver();
});

test('a plain session does not change what another agent has reserved', async () => {
  await owner.agents.register({ id: 'Holder', name: 'Holder' });
  await owner.reservations.create({ agentId: 'Holder', folder: home.workFolder, patterns: ['kept.txt'], enforced: true });
  const { code } = await exec(
    'edit file: kept.txt | changed && then edit file: free.txt | changed && then say: over',
    '--sandbox',
    'workspace-write',
  );
  expect(code).toBe(0);
  expect([existsSync(join(home.workFolder, 'kept.txt')), existsSync(join(home.workFolder, 'free.txt'))]).toEqual([false, true]);
  expect(sent()).toContain('Holder has reserved these files until');
  await sessionsAreOver();
});

test('a session of codex-relay has the plugin beside it, and is one agent with one set of tools', async () => {
  const session = spawn(process.execPath, [relayProgram, '--headless'], {
    env,
    cwd: home.workFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const agent = await until('the agent', async () => (await agents()).find(({ status }) => status !== 'offline'));
  await until('the conversation', () => new Promise<true>((resolve) => session.stdout.once('data', () => resolve(true))));
  const body = 'call relay_send {"to":"owner","body":"from codex-relay"}';
  const { id } = await owner.messages.send({ to: `id:${agent.id}`, body });
  await until('the receipt', async () => (await owner.messages.deliveries({ id })).data[0]?.state === 'seen');
  const said = (await owner.messages.list({})).data.filter(({ body }) => body === 'from codex-relay');
  expect(said.map(({ from }) => from)).toEqual([agent.id]);
  expect((await agents()).filter(({ status }) => status !== 'offline').map(({ id }) => id)).toEqual([agent.id]);
  session.kill('SIGTERM');
  await new Promise((resolve) => session.once('exit', resolve));
});

test('a command that Codex refused at once is told', async () => {
  const { output } = await exec('run command: rm -rf / && then say: refused', '--sandbox', 'read-only');
  const log = await readFile(join(state, 'codex-relay.log'), 'utf8');
  expect(log).toContain('Refused by Codex or its sandbox in this turn:');
  expect(output).toContain('refused');
  await sessionsAreOver();
});

test('is taken out again; the shell profile and the log stay, and it says so', async () => {
  await cli('install', '--alias');
  await cli('install', '--alias');
  const profile = join(home.home, '.bashrc');
  const line = 'command -v codex-relay >/dev/null 2>&1 && alias codex=codex-relay # agent-relay';
  expect(await readFile(profile, 'utf8')).toBe(`\n${line}\n`);
  const { code, output } = await cli('uninstall');
  expect([code, output]).toEqual([0, expect.stringMatching(/Left as they are: your shell profile .* and the log \S+codex-relay\.log/u)]);
  expect(await readFile(profile, 'utf8')).toBe(`\n${line}\n`);
  const config = await readFile(join(home.codexHome, 'config.toml'), 'utf8');
  expect(config).not.toMatch(/^\[(?:marketplaces|plugins)\./mu);
  expect(existsSync(join(home.codexHome, 'rules', 'agent-relay.rules'))).toBe(false);
  expect((await run(join(bin, 'codex'), ['plugin', 'list', '--json'])).output).not.toContain('agent-relay');
});
