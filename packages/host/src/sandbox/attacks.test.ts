import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandboxes } from './sandboxes.ts';

const probe = ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true'];
const hasBubblewrap = process.platform === 'linux' && spawnSync('bwrap', probe, { stdio: 'ignore' }).status === 0;
const real = test.skipIf(!hasBubblewrap);

let folder: string;
let home: string;
let cwd: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'attack-')));
  home = join(folder, 'home');
  cwd = join(folder, 'project', 'sub');
  for (const path of [join(home, '.ssh'), cwd]) mkdirSync(path, { recursive: true });
  writeFileSync(join(home, '.ssh', 'key'), 'secret key');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What starts a shell line inside, for as long as a session lasts. */
async function session(files = {}) {
  const { PATH = '' } = process.env;
  const sandboxes = new Sandboxes({ env: { PATH }, platform: 'linux', clock: { now: () => 0 } });
  const provider = { id: 'acme', sandboxFiles: () => files };
  const { sandbox } = await sandboxes.choose({ asked: 'os', provider, mode: 'agentic', cwd, env: { HOME: home } });
  if (!sandbox) throw new Error('no sandbox');
  return async (script: string, env: Readonly<Record<string, string>> = { PATH }) => {
    const inside = await sandbox.confine({ command: '/bin/sh', args: ['-c', script], cwd, env: { ...env, HOME: home } });
    return promisify(execFile)(inside.command, [...(inside.args ?? [])], { cwd, env: inside.env });
  };
}

real('nothing of the machine itself opens for writing below /proc, for root neither', async () => {
  const run = await session();
  const { stdout } = await run(
    'find /proc -path "/proc/[0-9]*" -prune -o -type f -perm /222 -print 2>/dev/null | while read -r file; do ( : >> "$file" ) 2>/dev/null && echo "$file"; done; echo over',
  );
  expect(stdout).toBe('over\n');
});
