import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OwnedProcess, ProcessSandbox } from 'agent-relay-provider';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bwrapArguments, bwrapRefusal } from './bwrap.ts';
import { heldProcesses } from './held-processes.ts';
import { mountsOf } from './mounts.ts';
import { programFiles } from './program-files.ts';
import { Sandboxes, type SandboxesOptions } from './sandboxes.ts';
import { seatbeltProfile } from './seatbelt.ts';
import { stricter } from './strictness.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sandbox-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('folders come before what lies in them, and what may only be read stays so in a folder that may be written', () => {
  const all = [
    { scratch: ['/home/a'], read: ['/home/a/.vendor/auth.json', '/srv', '/srv/tools/bin'] },
    { write: ['/home/a/.vendor/', '/home/a-b', '/srv'], read: ['/home/a/.vendor/auth.json'] },
  ];
  expect(mountsOf(all)).toEqual([
    { path: '/home/a', access: 'scratch' },
    { path: '/home/a/.vendor', access: 'write' },
    { path: '/home/a/.vendor/auth.json', access: 'read' },
    { path: '/home/a-b', access: 'write' },
    { path: '/srv', access: 'read' },
  ]);
});

test('bwrap gets namespaces of its own, the network of the machine, and no folder that nobody named', () => {
  const mounts = mountsOf([{ scratch: ['/home/a'], read: ['/home/a/.gitconfig'], write: ['/work'] }]);
  const given = bwrapArguments({ cwd: '/work', mounts, rootLinks: { '/bin': 'usr/bin' }, isRoot: false });
  expect(given).toEqual(expect.arrayContaining(['--unshare-user', '--unshare-pid', '--unshare-ipc', '--die-with-parent']));
  expect(given).not.toContain('--unshare-net');
  expect(given.join(' ')).toContain(
    '--symlink usr/bin /bin --ro-bind-try /sbin /sbin --ro-bind-try /lib /lib --ro-bind-try /lib32 /lib32 --ro-bind-try /lib64 /lib64 ' +
      '--ro-bind-try /libx32 /libx32 --proc /proc --dev /dev --tmpfs /home/a --ro-bind-try /home/a/.gitconfig /home/a/.gitconfig ' +
      '--bind-try /work /work --remount-ro / --chdir /work --',
  );
  const writable = given.filter((word, at) => given[at - 1] === '--bind-try' || (given[at - 2] === '--bind-try' && word !== ''));
  expect(new Set(writable)).toEqual(new Set(['/work']));
  expect(given).not.toContain('/etc');
  expect(bwrapArguments({ cwd: '/work', mounts, rootLinks: {}, isRoot: true }).join(' ')).toContain(
    '--proc /proc --ro-bind-try /proc/sys /proc/sys',
  );
});

test('the Seatbelt profile denies by default, and of a folder that may be written what may only be read', async () => {
  const mounts = mountsOf([
    { scratch: ['/Users/a/.vendor'], read: ['/Users/a/.vendor/settings.json', '/opt/"odd"\\cli'], write: ['/work'] },
  ]);
  await expect(seatbeltProfile({ mounts })).toMatchFileSnapshot('seatbelt-profile.snapshot.sb');
});

test('of what a start and its machine ask for the stricter counts', () => {
  expect(stricter('none', 'auto')).toBe('auto');
  expect(stricter('os', 'auto')).toBe('os');
  expect(stricter('none', 'bwrap')).toBe('bwrap');
  expect(stricter('bwrap', 'os')).toBe('bwrap');
  expect(() => stricter('seatbelt', 'bwrap')).toThrow(expect.objectContaining({ code: 'unsupported' }));
});

test('a program outside the system comes with its package and what runs it, and never with the home folder', async () => {
  const home = join(folder, 'home');
  const cwd = join(home, 'project');
  const bin = join(home, 'node', 'bin');
  const modules = join(home, 'tools', 'node_modules');
  for (const each of [cwd, bin, join(home, 'node', 'lib'), join(modules, 'cli', 'dist')]) mkdirSync(each, { recursive: true });
  const script = join(modules, 'cli', 'dist', 'cli.js');
  writeFileSync(script, '#!/usr/bin/env -S node --no-warnings\n', { mode: 0o755 });
  writeFileSync(join(bin, 'node'), 'ELF', { mode: 0o755 });
  symlinkSync(script, join(bin, 'cli'));
  const files = await programFiles(join(bin, 'cli'), { env: { PATH: `${bin}:${home}:/usr/bin` }, home, cwd });
  expect(files).toEqual(expect.arrayContaining([join(bin, 'cli'), script, modules, join(bin, 'node'), bin, join(home, 'node', 'lib')]));
  for (const open of [home, folder, join(home, 'node'), '/usr/bin', '/']) expect(files).not.toContain(open);
});

const provider = { id: 'acme', name: 'Acme', sandboxFiles: () => ({ write: [] }) };
const wish = { provider, asked: 'os', mode: 'agentic', env: { HOME: '/home/nobody' } } as const;
const sandboxes = (over: Partial<SandboxesOptions> = {}) =>
  new Sandboxes({ env: { AGENT_RELAY_BWRAP: join(folder, 'bwrap') }, platform: 'linux', ...over });

/** A `bwrap` that answers like this. */
function fakeBwrap(script: string): void {
  writeFileSync(join(folder, 'bwrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

test('a sandbox that cannot be had is an error that says why, and a reason where none would do', async () => {
  const { choose } = {
    choose: (asked: 'os' | 'auto' | 'seatbelt' | 'none', over?: Partial<SandboxesOptions>) =>
      sandboxes(over).choose({ ...wish, asked, cwd: folder }),
  };
  const missing = /bwrap is not there, which makes sandboxes: install bubblewrap/u;
  await expect(choose('os')).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(missing) });
  expect(await choose('auto')).toEqual({ sandbox: null, reason: expect.stringMatching(missing) });
  await expect(choose('auto', { request: 'os' })).rejects.toMatchObject({ code: 'unsupported' });
  expect(await choose('none')).toEqual({ sandbox: null });
  await expect(choose('os', { platform: 'win32' })).rejects.toMatchObject({ message: 'There is no sandbox for agents on this system' });
  fakeBwrap('echo "bwrap: setting up uid map: Permission denied" >&2; exit 1');
  await expect(choose('os')).rejects.toMatchObject({ message: expect.stringContaining('setting up uid map: Permission denied') });
  fakeBwrap('exit 0');
  expect((await choose('os')).sandbox).toMatchObject({ kind: 'bwrap' });
  await expect(choose('seatbelt')).rejects.toMatchObject({ message: 'This machine has the sandbox bwrap, and not seatbelt' });
});

test('a sandbox that cannot even be tried is a reason as well', async () => {
  const tried = sandboxes({ env: { AGENT_RELAY_BWRAP: folder } });
  expect(await tried.kinds(provider)).toEqual([]);
  await expect(tried.choose({ ...wish, cwd: folder })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('cannot be tried'),
  });
});

test('what cannot be kept in is not started: a vendor that does not say its files, a folder that holds the home', async () => {
  fakeBwrap('exit 0');
  const choose = (over: object) => sandboxes().choose({ ...wish, cwd: folder, ...over });
  await expect(choose({ provider: { id: 'other' } })).rejects.toMatchObject({
    message: expect.stringContaining('other cannot be put in a sandbox'),
  });
  await expect(choose({ env: { HOME: folder } })).rejects.toMatchObject({ message: expect.stringContaining('holds the home folder') });
  expect(await sandboxes().kinds({})).toEqual([]);
  expect(await sandboxes().kinds(provider)).toEqual(['bwrap']);
});

test('where a system restricts user namespaces the refusal says both remedies', () => {
  const restricted = bwrapRefusal('No permissions', { apparmorRestricts: true, unprivilegedClone: true });
  expect(restricted).toContain('/etc/apparmor.d/bwrap');
  expect(restricted).toContain('sysctl -w kernel.apparmor_restrict_unprivileged_userns=0');
  expect(bwrapRefusal('', { apparmorRestricts: false, unprivilegedClone: false })).toContain('kernel.unprivileged_userns_clone=1');
});

test('a provider that starts a process outside, or puts none inside, does not get its session', async () => {
  const sandbox: ProcessSandbox = { kind: 'bwrap', confine: async (process) => process };
  const seen: OwnedProcess[] = [];
  const held = heldProcesses(sandbox, { provider: 'acme', onProcess: (owned) => seen.push(owned) });
  expect(() => held.assertHeld()).toThrow('acme put nothing into its sandbox bwrap');
  const owned = { pid: 1, startToken: 't', purpose: 'acme' };
  expect(() => held.onProcess(owned)).toThrow('acme started acme outside of its sandbox bwrap');
  await held.sandbox?.confine({ command: '/acme' });
  held.onProcess({ ...owned, sandbox: 'bwrap' });
  held.assertHeld();
  expect(seen).toHaveLength(2);
});
