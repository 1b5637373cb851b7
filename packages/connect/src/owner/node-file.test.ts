import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

test('a change is read at once; a file that is wrong, or gone, lets nothing be started until it is there again', async () => {
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
