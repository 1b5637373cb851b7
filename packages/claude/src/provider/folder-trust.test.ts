import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTrustedFolder, readsFolderSettings, untrustedFolder } from './folder-trust.ts';

let home: string;
let inner: string;

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'folder-trust-')));
  inner = join(home, 'a', 'b');
  mkdirSync(inner, { recursive: true });
});

afterEach(() => rmSync(home, { recursive: true }));

const write = (text: string, folder = home) => writeFileSync(join(folder, '.claude.json'), text);
const trust = (folder: string, said: unknown = true) => write(JSON.stringify({ projects: { [folder]: { hasTrustDialogAccepted: said } } }));
const isTrusted = (cwd = inner, env: Record<string, string> = { HOME: home }) => isTrustedFolder({ cwd, env });

test('the folder itself, one that holds it, and one that a link to it names, but none below', () => {
  trust(inner);
  symlinkSync(inner, join(home, 'link'));
  expect([isTrusted(), isTrusted(join(home, 'link')), isTrusted(join(home, 'a'))]).toEqual([true, true, false]);
  trust(join(home, 'a'));
  expect([isTrusted(), isTrusted(home)]).toEqual([true, false]);
});

test('up to the root of its repository and no further', () => {
  mkdirSync(join(home, 'a', '.git'));
  trust(home);
  expect(isTrusted()).toBe(false);
  trust(join(home, 'a'));
  expect(isTrusted()).toBe(true);
});

test('a linked work tree by its main repository, which must name it', () => {
  const git = join(home, 'main', '.git');
  const kept = join(git, 'worktrees', 'b');
  mkdirSync(kept, { recursive: true });
  const line = (name: string, text: string, folder = kept) => writeFileSync(join(folder, name), `${text}\n`);
  line('.git', `gitdir: ${kept}`, inner);
  line('commondir', '../..');
  line('gitdir', join(inner, '.git'));
  trust(join(home, 'main'));
  expect(isTrusted()).toBe(true);
  line('gitdir', join(home, 'main', '.git'));
  expect(isTrusted()).toBe(false);
  const forged = join(inner, 'forged');
  mkdirSync(forged);
  line('.git', `gitdir: ${forged}`, inner);
  line('commondir', git, forged);
  line('gitdir', join(inner, '.git'), forged);
  expect(isTrusted()).toBe(false);
});

test('by the state in CLAUDE_CONFIG_DIR alone, where that is set', () => {
  trust(inner);
  const other = join(home, 'other');
  mkdirSync(other);
  const env = { HOME: home, CLAUDE_CONFIG_DIR: other };
  expect(isTrusted(inner, env)).toBe(false);
  write(JSON.stringify({ projects: { [inner]: { hasTrustDialogAccepted: true } } }), other);
  expect(isTrusted(inner, env)).toBe(true);
});

test.each(['', '{', 'null', '[]', '{"projects":[]}', '{"projects":{}}'])('nothing is trusted by a state that reads %j', (text) => {
  write(text);
  expect(isTrusted()).toBe(false);
});

test('nothing is trusted without a state, or by another word than yes', () => {
  expect(isTrusted()).toBe(false);
  for (const said of [false, 'true', 1, null]) {
    trust(inner, said);
    expect(isTrusted()).toBe(false);
  }
});

test('what is not read is said where there is something to read', () => {
  const place = { cwd: inner, env: { HOME: home } };
  expect(untrustedFolder({ ...place, mode: 'agentic' })).toBeNull();
  writeFileSync(join(inner, 'CLAUDE.md'), '');
  expect(untrustedFolder({ ...place, mode: 'agentic' })).toContain('CLAUDE.md: run `claude` there once');
  for (const mode of ['safe', 'unrestricted'] as const) expect(untrustedFolder({ ...place, mode })).toBeNull();
  trust(inner);
  expect(untrustedFolder({ ...place, mode: 'agentic' })).toBeNull();
  expect((['safe', 'agentic', 'unrestricted'] as const).map((mode) => readsFolderSettings({ ...place, mode }))).toEqual([
    false,
    true,
    true,
  ]);
});
