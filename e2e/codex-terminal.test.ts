import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, startFakeAnthropic, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { commandLineOf } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { codexVersions, startCodexDaemon } from './support/codex-daemon.ts';
import { agentEnvironment, startAgentRelay } from './support/programs.ts';
import { hasTerminals, openTerminal } from './support/terminal.ts';
import { until } from './support/until.ts';

/** Its own, so that it is found among the processes of the machine. */
const napSeconds = 300 + process.pid / 1e7;
const naps = async () => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const lines = await Promise.all(pids.map((pid) => commandLineOf(Number(pid))));
  return lines.filter((line) => line?.join(' ') === `sleep ${napSeconds}`).length;
};

describe.runIf(hasTerminals).each(codexVersions)('an agent that somebody looks at in codex %s', (_, command) => {
  test('is steered, stopped, allowed and answered by the API, and the terminal shows it all', { timeout: 180_000 }, async () => {
    const home = await tempHome();
    const models = [await startFakeAnthropic({ model: wordScript() }), await startFakeOpenAi({ model: wordScript() })] as const;
    const extra = await agentEnvironment(home, ...models);
    const env = { ...home.env(), ...extra };
    const daemon = await startCodexDaemon(command, { codexHome: home.codexHome, env });
    const relay = await startAgentRelay({ home, env: extra, port: await freePort() });
    const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
    await using client = createNodeRelayClient({ url: relay.url, token });
    const name = 'Worker';
    const tell = (body: string, mode: 'next' | 'now' = 'next') => client.messages.send({ to: `id:${name}`, body, mode });
    const asked = () => until('the question', async () => (await client.approvals.list({ agent: name, status: 'pending' })).data[0]);
    const isIdle = () => until('idle', async () => (await client.agents.get({ id: name })).status === 'idle');
    try {
      const args = ['--name', name, '--mode', 'agentic', '--ask', '--cwd', home.workFolder];
      expect(await relay.run('spawn', 'codex', ...args)).toMatchObject({ code: 0 });
      await tell('say: ready');
      await isIdle();
      const { data } = await client.agents.activity({ id: name, since: 0 });
      const started = data.find(({ event }) => event.type === 'session.started')?.event;
      expect(started).toMatchObject({ runtime: 'the Codex daemon of this CODEX_HOME, which runs' });
      const threadId = started?.type === 'session.started' ? started.vendorSessionId : '';
      await using terminal = await openTerminal([command, 'resume', threadId], { cwd: home.workFolder, env });
      await terminal.shows('• ready');

      await tell('slow 60 50 && then say: slowly done');
      await until('busy', async () => (await client.agents.get({ id: name })).status === 'busy');
      await tell('say: steered', 'now');
      await terminal.shows('• steered');
      await isIdle();

      await tell(`run command: sleep ${napSeconds} && then say: slept`);
      await until('the command', async () => (await naps()) > 0);
      expect(await client.agents.interrupt({ id: name })).toEqual({ interrupted: true });
      await terminal.shows(/interrupted/iu);
      await until('no command', async () => (await naps()) === 0);
      await isIdle();

      const file = join(home.directory, 'outside.txt');
      const cmd = { cmd: `touch ${file}`, sandbox_permissions: 'require_escalated', justification: 'It writes', yield_time_ms: 30_000 };
      await tell(`call exec_command ${JSON.stringify(cmd)} && then say: touched`);
      const permission = await asked();
      await terminal.shows('Would you like to run the following command?');
      expect(existsSync(file)).toBe(false);
      await client.approvals.resolve({ id: name, approvalId: permission.approvalId, outcome: 'allow' });
      await terminal.shows('• touched');
      await until('a closed dialog', async () => !(await terminal.screen()).includes('Would you like to run'));
      expect(existsSync(file)).toBe(true);
      await isIdle();

      // Codex asks in plan mode only, which its person chooses.
      await terminal.type('/plan');
      await terminal.shows(/\/plan\s{2,}\S/u);
      await terminal.press('Enter');
      await terminal.shows(/Plan mode/u);
      const questions = [
        {
          id: 'colour',
          header: 'Colour',
          question: 'Which one?',
          options: ['Red', 'Blue'].map((label) => ({ label, description: `It is ${label}` })),
        },
      ];
      await terminal.say(`call request_user_input ${JSON.stringify({ questions })} && then say: thank you`);
      const question = await asked();
      await terminal.shows('Which one?');
      await client.approvals.resolve({ id: name, approvalId: question.approvalId, answers: { colour: ['Blue'] } });
      await terminal.shows('• thank you');
      // The dialog is closed: what is typed goes to the composer again.
      await terminal.type('free again');
      await terminal.shows('› free again');
      const sent = JSON.stringify(models[1].requests.map(({ model }) => model?.conversation)).replaceAll('\\', '');
      expect(sent).toContain('"answers":["Blue"]');
    } finally {
      await relay.end();
      await daemon[Symbol.asyncDispose]();
      for (const model of models) await model.close();
      await home.remove();
    }
  });
});
