import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startBench, until } from './bench.ts';

test('the program in the README runs, and its session says something to another agent', async () => {
  await using bench = await startBench();
  await bench.owner.agents.register({ id: 'backend', name: 'backend' });
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const code = /^```ts\n([\s\S]*?)^```$/mu.exec(readFileSync(`${folder}README.md`, 'utf8'))?.[1] ?? '';
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(10);
  const prompt = '\'call relay_send {"to":"backend","body":"It sells shoes."}\'';
  const said = code.replace("'Tell the agent backend what this project does.'", prompt);
  const args = ['--conditions=agent-relay-source', '--input-type=module', '--eval', said];
  const program = spawn(process.execPath, args, { cwd: folder, env: bench.env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  program.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  const mail = await until('the message', async () =>
    (await bench.owner.messages.list({})).data.find(({ body }) => body === 'It sells shoes.'),
  );
  expect((await bench.owner.messages.deliveries({ id: mail.id })).data.map(({ agentId }) => agentId)).toEqual(['backend']);
  await until('what it prints', () => printed.endsWith('\n'));
  expect(printed).toMatch(new RegExp(`^${mail.from}: codex resume --remote unix:\\S+codex\\.sock [0-9a-f-]{36}\n$`, 'u'));
  program.kill('SIGINT');
  await new Promise((resolve) => program.once('exit', resolve));
  expect((await bench.owner.agents.get({ id: mail.from })).status).toBe('offline');
});
