import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

async function sandboxOf(
  files = {},
  { env = process.env, allowed = [] }: { env?: Readonly<Record<string, string | undefined>>; allowed?: readonly string[] } = {},
) {
  const sandboxes = new Sandboxes({ env, platform: 'linux', allowed });
  const provider = { id: 'acme', sandboxFiles: () => files };
  const { sandbox } = await sandboxes.choose({ asked: 'os', provider, mode: 'agentic', cwd, env: { HOME: home } });
  if (!sandbox) throw new Error('no sandbox');
  return sandbox;
}

/** What runs a shell line inside, for as long as a session lasts. */
async function session(files = {}) {
  const sandbox = await sandboxOf(files);
  return async (script: string, PATH = process.env['PATH'] ?? '') => {
    const inside = await sandbox.confine({ command: '/bin/sh', args: ['-c', script], cwd, env: { PATH, HOME: home } });
    return promisify(execFile)(inside.command, [...(inside.args ?? [])], { env: inside.env });
  };
}

real('nothing of the machine itself opens for writing below /proc, for root neither', async () => {
  const run = await session();
  const { stdout } = await run(
    'find /proc -path "/proc/[0-9]*" -prune -o -type f -perm /222 -print 2>/dev/null | while read -r file; do ( : >> "$file" ) 2>/dev/null && echo "$file"; done; echo over',
  );
  expect(stdout).toBe('over\n');
});

/** What whoever may write the folder around it can do. */
function swapFolder(path: string): void {
  renameSync(path, `${path}.old`);
  symlinkSync(home, path);
}

real('a link in the place of the folder opens nothing at a later start', async () => {
  const run = await session();
  expect((await run('pwd')).stdout).toBe(`${cwd}\n`);
  swapFolder(cwd);
  await expect(run('cat .ssh/key')).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining(cwd) });
  rmSync(cwd);
  mkdirSync(cwd);
  await expect(run('pwd')).rejects.toMatchObject({ code: 'unsupported' });
});

real('nor does one that is put there while the sandbox is made', async () => {
  const inside = await (await sandboxOf()).confine({ command: '/bin/cat', args: ['.ssh/key'], cwd, env: { HOME: home } });
  swapFolder(cwd);
  const started = promisify(execFile)(inside.command, [...(inside.args ?? [])], { env: inside.env });
  await expect(started).rejects.toMatchObject({ stdout: '', stderr: expect.stringContaining(`The folder ${cwd} is another than before`) });
});

real('a link in the place of what a vendor writes, or before it, opens nothing and makes no folder', async () => {
  const store = join(home, '.acme', 'store');
  const run = await session({ write: [store] });
  expect((await run(`echo kept > ${store}/it; cat ${store}/it`)).stdout).toBe('kept\n');
  swapFolder(store);
  await expect(run(`cat ${store}/.ssh/key`)).rejects.toMatchObject({ code: 'unsupported' });
  const deeper = await session({ write: [join(store, 'made')] });
  await expect(deeper('true')).rejects.toMatchObject({ code: 'unsupported' });
  expect(existsSync(join(home, 'made'))).toBe(false);
});

real('what makes the sandbox is the system’s own, whatever stands first in PATH', async () => {
  writeFileSync(join(cwd, 'bwrap'), `#!/bin/sh\n: > ${join(folder, 'planted')}\n`, { mode: 0o755 });
  const sandbox = await sandboxOf({}, { env: { PATH: `${cwd}:${process.env['PATH']}` } });
  const { command } = await sandbox.confine({ command: '/bin/true', cwd, env: { HOME: home } });
  expect([command.startsWith(folder), existsSync(join(folder, 'planted'))]).toEqual([false, false]);
});

real('a folder of PATH that is a link opens nothing of the home, nor does what lies beside one', async () => {
  const [link, bin] = [join(folder, 'bin'), join(home, 'other', 'bin')];
  symlinkSync(join(home, '.ssh'), link);
  for (const path of [bin, join(home, 'other', 'share')]) mkdirSync(path, { recursive: true });
  writeFileSync(join(bin, 'tool'), '#!/bin/sh\necho tool\n', { mode: 0o755 });
  writeFileSync(join(home, 'other', 'share', 'private'), 'private');
  const run = await session();
  const script = `cat ${link}/key ${join(home, '.ssh', 'key')} ${join(home, 'other', 'share', 'private')} 2>/dev/null; tool`;
  expect((await run(script, `${link}:${bin}:${process.env['PATH']}`)).stdout).toBe('tool\n');
});

real('what may be read besides is found under its name and where that leads, and nothing inside gains rights', async () => {
  const tools = join(folder, 'tools');
  mkdirSync(join(tools, 'v1'), { recursive: true });
  writeFileSync(join(tools, 'v1', 'tool'), 'a tool\n');
  symlinkSync(join(tools, 'v1'), join(home, 'tools'));
  const sandbox = await sandboxOf({}, { allowed: [join(home, 'tools')] });
  const script = `cat ~/tools/tool "$(readlink -f ${join(tools, 'v1')}/tool)"; grep NoNewPrivs /proc/self/status; grep -v nosuid /proc/self/mounts; echo over`;
  const inside = await sandbox.confine({ command: '/bin/sh', args: ['-c', script], cwd, env: { PATH: '/usr/bin:/bin', HOME: home } });
  const { stdout } = await promisify(execFile)(inside.command, [...(inside.args ?? [])], { env: inside.env });
  expect(stdout).toBe('a tool\na tool\nNoNewPrivs:\t1\nover\n');
});

real('what may be read besides is what it was when the machine began, whoever writes beside it', async () => {
  const docs = join(cwd, 'x', 'docs');
  mkdirSync(docs, { recursive: true });
  const sandbox = await sandboxOf({}, { allowed: [docs] });
  const start = () => sandbox.confine({ command: '/bin/sh', args: ['-c', 'true'], cwd, env: { PATH: '/usr/bin:/bin', HOME: home } });
  await start();
  renameSync(join(cwd, 'x'), join(cwd, 'y'));
  mkdirSync(join(cwd, 'x'));
  symlinkSync('../../home/.ssh', docs);
  await expect(start()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('is another than when') });
  rmSync(docs);
  mkdirSync(docs);
  await expect(start()).rejects.toMatchObject({ code: 'unsupported' });
  await expect(sandboxOf({}, { allowed: [join(cwd, 'nothing')] })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('was not there'),
  });
});
