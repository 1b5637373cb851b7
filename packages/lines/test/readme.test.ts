import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));

test.skipIf(process.platform === 'win32')('the program in the README runs, and ends by itself', async () => {
  const code = /^```ts\n([\s\S]*?)^```$/mu.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8'))?.[1] ?? '';
  const args = ['--conditions=agent-relay-source', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 120_000 });
  expect(stdout).toBe('SAY HELLO.');
});
