import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { agentCliPaths, callTool, say, startFakeAnthropic, type TempHome, tempHome } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { startNpmRegistry } from '../support/npm-registry.ts';
import { hasTerminals, openTerminal, type Terminal } from '../support/terminal.ts';
import { until } from '../support/until.ts';
import { pluginFolder } from './plugin-folder.ts';

const run = promisify(execFile);
const { claude, claudeBetween } = agentCliPaths();
const serverPackage = fileURLToPath(new URL('../../packages/server', import.meta.url));
const installer = fileURLToPath(new URL('../../packages/claude-plugin/dist/cli.js', import.meta.url));

test('the plugin is what Claude Code takes for one, warnings included', async () => {
  await using home = await tempHome();
  for (const program of [claude, ...claudeBetween.map(([, path]) => path)]) {
    const { stdout } = await run(program, ['plugin', 'validate', pluginFolder, '--strict'], { env: home.env() });
    expect(stdout).toContain('Validation passed');
  }
});

/** `agent-relay` as npm puts it into a prefix, beside programs that stand for the registry: the newest version is this one, and its installer ours. */
async function installedRelay({ directory }: TempHome, claudeProgram: string) {
  const own = join(directory, 'prefix', 'lib', 'node_modules', 'agent-relay-server');
  const bin = join(directory, 'upgrade-bin');
  for (const folder of [own, bin]) await mkdir(folder, { recursive: true });
  await cp(join(serverPackage, 'dist'), join(own, 'dist'), { recursive: true });
  await cp(join(serverPackage, 'package.json'), join(own, 'package.json'));
  await symlink(join(serverPackage, 'node_modules'), join(own, 'node_modules'));
  const programs = {
    npm: `[ "$1" = view ] && echo 99.0.0; exit 0`,
    npx: `echo "$@" >> "${bin}/asked"; exec "${process.execPath}" "${installer}" install`,
    claude: `exec "${claudeProgram}" "$@"`,
  };
  for (const [name, line] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return { cli: join(own, 'dist', 'cli.js'), path: [bin, process.env['PATH']].join(delimiter), asked: join(bin, 'asked') };
}

test.each([...claudeBetween])("`agent-relay upgrade` brings the plugin in %s to the relay's version", async (_version, program) => {
  await using home = await tempHome();
  const { cli, path, asked } = await installedRelay(home, program);
  const env = { ...home.env(), PATH: path };
  await run(process.execPath, [installer, 'install'], { env });
  const manifest = join(home.home, '.local', 'share', 'agent-relay', 'claude-marketplace', 'agent-relay', '.claude-plugin', 'plugin.json');
  const { version, ...said } = JSON.parse(await readFile(manifest, 'utf8'));
  await writeFile(manifest, JSON.stringify({ version: '0.0.1', ...said }));
  await run(program, ['plugin', 'update', 'agent-relay@agent-relay'], { env });
  const listed = async () => JSON.parse((await run(program, ['plugin', 'list', '--json'], { env })).stdout)[0];
  expect(await listed()).toMatchObject({ id: 'agent-relay@agent-relay', version: '0.0.1' });
  const { stdout } = await run(process.execPath, [cli, 'upgrade', '--yes', '--no-restart'], { env, cwd: home.workFolder });
  expect(stdout).toContain('npx --yes agent-relay-plugin@99.0.0 install');
  expect(await readFile(asked, 'utf8')).toBe('--yes agent-relay-plugin@99.0.0 install\n');
  expect(await listed()).toMatchObject({ id: 'agent-relay@agent-relay', version });
});

test.each([...claudeBetween])(
  'installed into a fresh home of %s it sends a message, twice is once, and uninstalled nothing is left',
  async (_version, program) => {
    await using home = await tempHome();
    await using relay = await startTestRelay();
    await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
    await using anthropic = await startFakeAnthropic({
      model: ({ toolResultsSinceLastAssistant: [result] }) =>
        result ? say(result.text) : callTool('relay_send', { to: 'owner', body: 'hello from a fresh home' }),
    });
    const env = { ...home.env(), ...anthropic.env(), AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
    const plugin = (command: string) => run(process.execPath, [installer, command, '--command', program], { env });
    for (let time = 1; time <= 2; time += 1) expect((await plugin('install')).stdout).toContain('Installed');
    const { stdout } = await run(program, ['-p', 'say hello'], { env, cwd: home.workFolder });
    expect(stdout).toContain('Sent [msg:');
    expect((await owner.messages.list()).data).toMatchObject([{ to: 'id:owner', body: 'hello from a fresh home' }]);
    expect((await plugin('uninstall')).stdout).toContain('Uninstalled');
    expect((await plugin('uninstall')).stdout).toContain('nothing to uninstall');
    expect(existsSync(join(home.home, '.local', 'share', 'agent-relay', 'claude-marketplace'))).toBe(false);
    await run(program, ['plugin', 'marketplace', 'add', `${relay.url}/marketplace.json`], { env });
    expect((await run(program, ['plugin', 'marketplace', 'list'], { env })).stdout).toContain('agent-relay');
  },
);

test.skipIf(!hasTerminals).each([...claudeBetween])(
  "a project's settings tell %s where the plugin is once its folder is trusted; installed for the project, its sessions have it",
  async (_version, program) => {
    await using home = await tempHome();
    await using relay = await startTestRelay();
    await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
    await using anthropic = await startFakeAnthropic({ model: () => say('Hello.') });
    await using registry = await startNpmRegistry(pluginFolder, home.directory);
    const addresses = { AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
    const env = { ...home.env(), ...anthropic.env(), ...registry.env, ...addresses, PATH: process.env['PATH'] };
    const cwd = join(home.directory, 'project');
    await mkdir(cwd);
    const written = await run(process.execPath, [installer, 'install', '--project'], { env, cwd });
    const command = /claude (plugin install .*)$/mu.exec(written.stdout)?.[1] ?? '';
    const known = join(home.home, '.claude', 'plugins', 'known_marketplaces.json');
    const isKnown = async () => existsSync(known) && (await readFile(known, 'utf8')).includes('"agent-relay"');
    let tries = 0;
    const trusted = () => trust(() => openTerminal([program], { cwd, env }), isKnown, 2 ** ++tries * 1_000);
    await until('the marketplace', trusted, 120_000);
    await run(program, command.split(' '), { env, cwd });
    await using _next = await openTerminal([program], { cwd, env });
    await until('its agent', async () => (await owner.agents.list()).data.some(({ meta }) => meta['cwd'] === cwd));
    expect(registry.asked).toContain('/agent-relay-plugin');
  },
);

/** How long a key may take to show: after that it was taken for another question's. */
const ANSWER_MS = 20_000;

/**
 * Says that the folder is trusted, as a person does who takes so long to read: a Claude Code that is still loading draws its question anew then, with the first
 * answer chosen, and takes a key from before for an answer to that. False where it has ended so, or took no key.
 */
async function trust(open: () => Promise<Terminal>, isTrusted: () => Promise<boolean>, readMs: number): Promise<boolean> {
  if (await isTrusted()) return true;
  await using session = await open();
  await session.shows(/trust this folder/u);
  await pause(readMs);
  if ((await session.screen()).includes('❯ No, exit')) await session.press('Up');
  await pause(500);
  if (!/❯ (?:\d\. )?Yes/u.test(await session.screen())) return false;
  await session.press('Enter');
  const hasEnded = async () => (await session.screen()).includes('Claude Code didn');
  const isAnswered = await until('an answer', async () => (await isTrusted()) || (await hasEnded()), ANSWER_MS).catch(() => false);
  return isAnswered && (await isTrusted());
}
