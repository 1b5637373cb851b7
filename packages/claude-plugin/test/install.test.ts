import fs, { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { installInProject } from '../src/install/install.ts';
import { layOut } from '../src/install/plugin-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-plugin-install-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(folder, { recursive: true, force: true });
});

/** Takes the place of a rename for whoever imports it, until the test ends. */
function onRename(renameSync: typeof fs.renameSync): void {
  vi.spyOn(fs, 'renameSync').mockImplementation(renameSync);
  syncBuiltinESMExports();
}

test.each(['settings.json', '.claude', 'nowhere'])(
  'a project whose settings are a link (%s) is refused, and nothing behind it is written',
  (kind) => {
    const [project, own] = [join(folder, 'project'), join(folder, 'home')];
    for (const place of [project, own]) mkdirSync(place);
    const behind = join(own, 'settings.json');
    if (kind !== 'nowhere') writeFileSync(behind, '{}');
    if (kind === '.claude') symlinkSync(own, join(project, '.claude'));
    else {
      mkdirSync(join(project, '.claude'));
      symlinkSync(behind, join(project, '.claude', 'settings.json'));
    }
    expect(() => installInProject(project)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
    expect(kind === 'nowhere' ? readdirSync(own) : readFileSync(behind, 'utf8')).toEqual(kind === 'nowhere' ? [] : '{}');
  },
);

test('a project that is not there is refused, and not made', () => {
  writeFileSync(join(folder, 'file'), '');
  for (const name of ['misspelt', 'file']) {
    const refused = expect.objectContaining({ code: 'validation_failed', message: expect.stringContaining(`${name} is no folder`) });
    expect(() => installInProject(join(folder, name))).toThrow(refused);
  }
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a project’s settings name this version, keep what is in them and their rights, and are the old ones when writing fails', () => {
  mkdirSync(join(folder, '.claude'));
  const path = join(folder, '.claude', 'settings.json');
  writeFileSync(path, '{"model":"x"}', { mode: 0o600 });
  onRename(() => {
    throw new Error('the disk is gone');
  });
  expect(() => installInProject(folder)).toThrow('the disk is gone');
  vi.mocked(fs.renameSync).mockReset();
  expect([readFileSync(path, 'utf8'), readdirSync(join(folder, '.claude'))]).toEqual(['{"model":"x"}', ['settings.json']]);
  installInProject(folder);
  const source = { source: 'npm', package: 'agent-relay-plugin', version: RELAY_VERSION };
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
    model: 'x',
    extraKnownMarketplaces: { 'agent-relay': { source: { plugins: [{ source }] } } },
  });
  expect([lstatSync(path).mode & 0o777, readdirSync(join(folder, '.claude'))]).toEqual([0o600, ['settings.json']]);
});

test('a plugin that cannot take its place leaves the one that is there', () => {
  const place = join(folder, 'claude-marketplace');
  mkdirSync(place);
  writeFileSync(join(place, 'old'), '');
  const rename = fs.renameSync;
  onRename((from, to) => {
    if (/half-\w+$/u.test(String(from))) throw new Error('no room');
    rename(from, to);
  });
  expect(() => layOut(place)).toThrow('no room');
  expect([readdirSync(place), readdirSync(folder)]).toEqual([['old'], ['claude-marketplace']]);
  vi.mocked(fs.renameSync).mockReset();
  layOut(place);
  expect([readdirSync(place).toSorted(), readdirSync(folder)]).toEqual([['.claude-plugin', 'agent-relay'], ['claude-marketplace']]);
});
