import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { agentCliPaths } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { acpAgents } from '../src/catalogue.ts';
import { geminiHarness } from './gemini-harness.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

test('the program in the README runs, and ends by itself', async () => {
  const harness = await geminiHarness();
  try {
    const bin = await harness.home.makeFolder('bin');
    symlinkSync(agentCliPaths().gemini, join(bin, 'gemini'));
    const code = /^```ts\n([\s\S]*?)^```$/mu.exec(readme)?.[1] ?? '';
    const env = { ...harness.env, PATH: [bin, harness.env['PATH'] ?? ''].join(delimiter) };
    const args = ['--conditions=agent-relay-source', '--input-type=module', '--eval', code.replace('Say hello.', 'say: hello')];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env, timeout: 120_000 });
    expect(stdout).toBe('hello');
  } finally {
    await harness.close();
  }
});

test('the README names every agent of the catalogue by what its row rests on', () => {
  const listed = Object.fromEntries(
    [...readme.matchAll(/^\| `(run|seen|documented)` \| .*?: (.*) \|$/gmu)].map(([, evidence = '', ids = '']) => [
      evidence,
      ids.match(/[\w-]+/gu),
    ]),
  );
  const idsOf = (evidence: string) => Object.values(acpAgents).flatMap((agent) => (agent.evidence === evidence ? [agent.id] : []));
  expect(listed).toEqual({ run: idsOf('run'), seen: idsOf('seen'), documented: idsOf('documented') });
});
