import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { describe, expect, test } from 'vitest';
import { codexVersions, startCodexDaemon } from './support/codex-daemon.ts';
import { hasTerminals, openTerminal } from './support/terminal.ts';
import { until } from './support/until.ts';

const program = fileURLToPath(new URL('../packages/codex-plugin/dist/cli.js', import.meta.url));
async function endOf(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe.runIf(hasTerminals).each(codexVersions)('a person’s plain codex %s', (_, command) => {
  test('is an agent: its mail arrives live, the draft stays, and it leaves when its terminal is closed', async () => {
    const home = await tempHome();
    const model = await startFakeOpenAi({ model: wordScript() });
    const relay = await startTestRelay();
    await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
    await model.writeCodexHome(home.codexHome);
    const env = { ...home.env(), ...model.env(), AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
    const daemon = await startCodexDaemon(command, { codexHome: home.codexHome, env });
    const live = spawn(process.execPath, [program, 'live'], { env, stdio: 'ignore' });
    const present = async () =>
      (await client.agents.list({})).data.filter(({ provider, status }) => provider === 'codex' && status !== 'offline');
    const receipt = async (id: number) => (await client.messages.deliveries({ id })).data[0];
    try {
      await using terminal = await openTerminal([command], { cwd: home.workFolder, env });
      await terminal.shows('OpenAI Codex');
      await terminal.type('half a draft');
      await terminal.shows('half a draft');
      const [agent] = await until('the agent', async () => ((await present()).length > 0 ? await present() : null));
      expect(agent).toMatchObject({ provider: 'codex', tags: ['codex'], id: expect.stringMatching(/-work-[0-9a-f]{8}$/u) });
      const id = agent?.id ?? '';
      const sent = await client.messages.send({ to: `id:${id}`, body: 'say: the mail is here' });
      await terminal.shows('• the mail is here');
      await terminal.shows(`[msg:${sent.id}] from owner`);
      await terminal.shows(/› half a draft\s*\n/u);
      await until('the receipt', async () => (await receipt(sent.id))?.state === 'seen');
      // Codex has asked its model for a title meanwhile, in a conversation of its own.
      await until('idle', async () => (await client.agents.get({ id })).status === 'idle');
      expect((await present()).map((one) => one.id)).toEqual([id]);

      await terminal.press('C-u');
      await terminal.type('/quit');
      await terminal.shows(/\/quit\s{2,}\S/u);
      await terminal.press('Enter');
      expect(await terminal.exitCode()).toBe(0);
      await until('its leave', async () => (await present()).length === 0);
    } finally {
      await endOf(live);
      await daemon[Symbol.asyncDispose]();
      await relay.close();
      await model.close();
      await home.remove();
    }
  });
});
