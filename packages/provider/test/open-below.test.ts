import { execFileSync } from 'node:child_process';
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBelow } from '../src/open-below.ts';
import { pathInside } from '../src/path-inside.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC } = constants;
const writing = O_WRONLY | O_CREAT | O_TRUNC;

let outer: string;
let folder: string;
beforeEach(() => {
  outer = realpathSync(mkdtempSync(join(tmpdir(), 'open-below-')));
  folder = join(outer, 'folder');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  mkdirSync(join(outer, 'other'));
});
afterEach(() => rmSync(outer, { recursive: true }));

async function write(inside: string, text: string): Promise<void> {
  await using file = await openBelow(folder, inside, writing);
  await file.writeFile(text);
}

test('a file is made with the folders on its way, and read again', async () => {
  await write('new/deep/a.txt', 'words');
  await using file = await openBelow(folder, 'new/deep/a.txt', O_RDONLY);
  expect(await file.readFile('utf8')).toBe('words');
});

test.each([
  ['a folder on the way', 'sub', 'sub/secret'],
  ['the file itself', 'sub/secret', 'sub/secret'],
])('a link that comes into the place of %s after the look opens nothing', async (_what, replaced, path) => {
  for (const place of [join(folder, 'sub'), join(outer, 'other')]) writeFileSync(join(place, 'secret'), place);
  const inside = pathInside(folder, path) ?? '';
  renameSync(join(folder, replaced), join(outer, 'moved'));
  symlinkSync(join(outer, 'other', ...replaced.split('/').slice(1)), join(folder, replaced));
  for (const flags of [O_RDONLY, writing]) await expect(openBelow(folder, inside, flags)).rejects.toThrow(/ELOOP|ENOTDIR/u);
  expect(readFileSync(join(outer, 'other', 'secret'), 'utf8')).toBe(join(outer, 'other'));
});

test('nor does one make a folder elsewhere', async () => {
  symlinkSync(join(outer, 'other'), join(folder, 'out'));
  await expect(openBelow(folder, 'out/made/a.txt', writing)).rejects.toThrow(/ELOOP|ENOTDIR/u);
  expect(existsSync(join(outer, 'other', 'made'))).toBe(false);
});

test.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await expect(openBelow(folder, 'pipe', O_WRONLY)).rejects.toThrow('ENXIO');
  await using reading = await openBelow(folder, 'pipe', O_RDONLY);
  expect((await reading.stat()).isFIFO()).toBe(true);
});
