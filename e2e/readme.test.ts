import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { tempHome } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { startAgentRelay } from './support/programs.ts';
import { until } from './support/until.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));

test('the program in the README runs in the folder of the checkout, and answers', async () => {
  const home = await tempHome();
  const relay = await startAgentRelay({ home, args: ['--no-local-node'] });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  const code = /^```ts\n([\s\S]*?)^```$/mu.exec(await readFile(`${checkout}README.md`, 'utf8'))?.[1] ?? '';
  expect(code).toContain("'http://127.0.0.1:4850'");
  const program = spawn(process.execPath, ['--input-type=module', '--eval', code.replace('http://127.0.0.1:4850', relay.url)], {
    cwd: checkout,
    env: home.env(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await using client = createNodeRelayClient({ url: relay.url, token });
    await until('the bot', async () => (await client.agents.list({})).data.some(({ name }) => name === 'build-bot'));
    expect(await relay.run('send', 'build-bot', 'Is it green?', '--wait', 'answered')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Noted: Is it green?'),
    });
  } finally {
    program.kill('SIGKILL');
    await relay.end();
    await home.remove();
  }
});
