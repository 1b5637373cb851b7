import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { agentCliPaths, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '..');

test.runIf(process.platform !== 'win32')('the program in the README talks to Claude Code without a relay', async () => {
  await using home = await tempHome();
  const model = await startFakeAnthropic({ model: wordScript() });
  await symlink(agentCliPaths().claude, join(home.directory, 'claude'));
  const examples = [...(await readFile(join(folder, 'README.md'), 'utf8')).matchAll(/^```ts\n([\s\S]*?)^```$/gmu)].map(
    ([, code = '']) => code,
  );
  const code = examples.find((each) => each.includes('launchClaude')) ?? '';
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(10);
  const asking = code.replace('Run the tests, and tell me what fails.', 'run command: touch ran.txt && then say: all green');
  expect(asking).not.toBe(code);
  const program = spawn(process.execPath, ['--conditions=agent-relay-source', '--input-type=module', '--eval', asking], {
    cwd: folder,
    env: { ...home.env(), ...model.env(), PATH: `${home.directory}${delimiter}${process.env['PATH']}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  program.stdout.on('data', (chunk) => {
    output += chunk;
  });
  // What it has printed may come after the news of its exit.
  expect(await once(program, 'close')).toEqual([0, null]);
  expect([output, existsSync(join(folder, 'ran.txt'))]).toEqual(['all green\n', false]);
  await model.close();
});
