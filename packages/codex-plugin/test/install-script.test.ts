import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../install-codex.sh', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-relay-install-'));
  await mkdir(join(folder, 'bin'));
  for (const name of ['sh', 'cat']) await symlink(`/bin/${name}`, join(folder, 'bin', name));
  await symlink(process.execPath, join(folder, 'bin', 'node'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that notes how it was called. */
async function program(name: string, more = ''): Promise<void> {
  const file = join(folder, 'bin', name);
  await writeFile(file, `#!/bin/sh\necho "${name} $*" >> ${folder}/calls\n${more}\n`);
  await chmod(file, 0o755);
}

const run = (...args: readonly string[]): Promise<{ readonly code: number; readonly err: string }> =>
  new Promise((resolve) => {
    execFile('/bin/sh', [script, ...args], { env: { PATH: join(folder, 'bin') } }, (error, _out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, err }),
    );
  });

test.skipIf(process.platform === 'win32')('the installer installs the package and hands its options on', async () => {
  await program('npm');
  await program('codex');
  await program('agent-relay-codex');
  expect(await run('--alias', '--trust-hooks')).toEqual({ code: 0, err: '' });
  expect(await readFile(join(folder, 'calls'), 'utf8')).toBe(
    'npm install --global agent-relay-codex@latest\nagent-relay-codex install --alias --trust-hooks\n',
  );
});

test.skipIf(process.platform === 'win32').each([
  ['Codex is needed', ['npm']],
  ['npm is needed', ['codex']],
  ["npm's programs are not on your PATH", ['npm', 'codex']],
])('without what it needs it says: %s', async (said, programs) => {
  for (const name of programs) await program(name);
  expect(await run()).toEqual({ code: 1, err: expect.stringContaining(`install-codex: ${said}`) });
});

test.skipIf(process.platform === 'win32')('an npm that fails leaves Codex alone', async () => {
  await program('npm', 'exit 7');
  await program('codex');
  await program('agent-relay-codex');
  expect((await run()).code).toBe(7);
  expect(await readFile(join(folder, 'calls'), 'utf8')).toBe('npm install --global agent-relay-codex@latest\n');
});
