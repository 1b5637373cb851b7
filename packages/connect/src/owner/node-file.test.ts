import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseNodeFile } from './node-file.ts';
import { FileOwner } from './owner.ts';

const messageOf = (text: string): string => {
  try {
    return `read: ${JSON.stringify(parseNodeFile('node.yaml', text).content)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

test('a file says what its owner allows, and where each of it stands', () => {
  const file = parseNodeFile('node.yaml', '# mine\nlabels: [gpu]\nfolders:\n  - ~/work\n  - /srv/code/\nenvironment: [AWS_*]\n');
  expect(file.content).toEqual({ labels: ['gpu'], folders: [join(homedir(), 'work'), '/srv/code'], environment: ['AWS_*'] });
  expect([file.where('labels'), file.where('folders')]).toEqual(['node.yaml line 2 (labels)', 'node.yaml line 3 (folders)']);
  expect(messageOf('# nothing yet\n')).toBe('read: {}');
});

test.each([
  ['an unknown key', 'labels: [a]\nfolder: /srv\n', 'node.yaml line 2: folder: there is no such key'],
  ['a wrong word of a list', 'modes:\n  - safe\n  - wild\n', /^node\.yaml line 3: modes\.1: .*safe/u],
  ['a relative folder', '\nfolders: [work]', /^node\.yaml line 2: folders\.0: is no absolute path/u],
  ['a negative capacity', 'capacity: -1', /^node\.yaml line 1: capacity: /u],
  ['a list instead of keys', '- a\n', /^node\.yaml line 1: the file: /u],
  ['a key twice', 'capacity: 1\ncapacity: 9\n', /^node\.yaml line 2: .*unique/u],
  ['what is no YAML', 'labels: [a\n', /^node\.yaml line \d: /u],
  ['aliases', 'labels: &a [x]\nenvironment: *a\n', /^node\.yaml line 1: aliases/u],
])('%s is refused with its line and key', (_, text, message) => {
  expect(messageOf(text)).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
});

test('a change counts for whoever asks next; a file that is wrong, or gone, lets nothing be started until it is there again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-file-'));
  const path = join(folder, 'node.yaml');
  const owner = new FileOwner(path);
  expect((await owner.terms()).announced).toBeUndefined();
  const labels = async () => (await owner.terms()).announced?.labels;
  writeFileSync(path, 'labels: [one]\n');
  expect(await labels()).toEqual(['one']);
  writeFileSync(path, 'labels: [two]\n');
  expect(await labels()).toEqual(['two']);
  writeFileSync(path, 'labels: two words\n');
  await expect(labels()).rejects.toThrow(`${path} line 1: labels: `);
  writeFileSync(path, 'labels: [three]\n');
  expect(await labels()).toEqual(['three']);
  rmSync(path);
  await expect(labels()).rejects.toThrow(/was there when relay-connect started and is gone/u);
  rmSync(folder, { recursive: true });
});

test('who asks after the file was saved is not answered by a look that began before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-file-'));
  const path = join(folder, 'node.yaml');
  const owner = new FileOwner(path);
  const labels = async () => (await owner.terms()).announced?.labels;
  for (let times = 0; times < 5; times += 1) {
    writeFileSync(path, 'labels: [one]\n');
    await labels();
    const looks = [labels()];
    for (let waits = 0; waits < times; waits += 1) await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(path, 'labels: [two]\n');
    looks.push(labels());
    expect((await Promise.all(looks))[1]).toEqual(['two']);
  }
  rmSync(folder, { recursive: true });
});

test('a file that is being saved lets nothing in: not while it is empty, nor while half of it is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-file-'));
  const path = join(folder, 'node.yaml');
  const owner = new FileOwner(path);
  const modes = async () => (await owner.terms()).announced?.modes;
  writeFileSync(path, 'labels: [one]\nmodes: [safe]\n');
  expect(await modes()).toEqual(['safe']);
  writeFileSync(path, '# mine\n');
  await expect(modes()).rejects.toMatchObject({ code: 'validation_failed', message: expect.stringContaining('is empty now') });
  writeFileSync(path, 'labels: [one]\n');
  const asked = modes();
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(path, 'labels: [one]\nmodes: [safe, agentic]\n');
  expect(await asked).toEqual(['safe', 'agentic']);
  writeFileSync(path, '{}\n');
  expect(await modes()).toBeUndefined();
  rmSync(folder, { recursive: true });
});

test.runIf(process.platform !== 'win32')("a file that others may write, or that is another user's, is not followed", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-file-'));
  const path = join(folder, 'node.yaml');
  const owner = new FileOwner(path);
  writeFileSync(path, 'labels: [one]\n');
  chmodSync(path, 0o666);
  await expect(owner.terms()).rejects.toMatchObject({
    code: 'forbidden',
    message: `${path} can be written by other users: chmod go-w ${path}`,
  });
  chmodSync(path, 0o600);
  expect((await owner.terms()).announced?.labels).toEqual(['one']);
  // Only root gives a file away; root's own files are followed.
  if (process.getuid?.() === 0) chownSync(path, 4242, 4242);
  const other = vi.spyOn(process, 'getuid').mockReturnValue(4343);
  await expect(owner.terms()).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('belongs to another user') });
  other.mockRestore();
  rmSync(folder, { recursive: true });
});
