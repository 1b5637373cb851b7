import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { agentCliPaths, callTool, say, startFakeAnthropic, tempHome } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { pluginFolder } from './plugin-folder.ts';

const run = promisify(execFile);
const { claude, claudeBetween } = agentCliPaths();
const installer = fileURLToPath(new URL('../../packages/claude-plugin/dist/cli.js', import.meta.url));

test('the plugin is what Claude Code takes for one, warnings included', async () => {
  await using home = await tempHome();
  for (const program of [claude, ...claudeBetween.map(([, path]) => path)]) {
    const { stdout } = await run(program, ['plugin', 'validate', pluginFolder, '--strict'], { env: home.env() });
    expect(stdout).toContain('Validation passed');
  }
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
