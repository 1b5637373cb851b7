import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readPowerShell } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { shellProfile } from '../src/install/places.ts';

// There is no PowerShell where these tests run: what a reader of the language can tell is held, and nothing is run.
const read = (name: string) => readFile(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8');
const source = await read('install-codex.ps1');
const script = await readPowerShell(source);
const wrong = await readPowerShell("$a = 'open\nif (");

test('the grammar tells what is no PowerShell', () => {
  expect(wrong.faults).not.toEqual([]);
});

test('the installer is PowerShell, in characters that every code page reads alike', () => {
  expect(script.faults).toEqual([]);
  expect(source).toMatch(/^[\n\x20-\x7e]*$/u);
});

test('it is one block, so that a shell which runs its text keeps nothing of it, and hands the options on', () => {
  expect(script.statements).toHaveLength(1);
  expect(script.commands[0]).toMatchObject({ isCalled: true, arguments: ['@args'] });
  expect(script.inBlock.slice(0, 2)).toEqual(["$ErrorActionPreference = 'Stop'", '$PSNativeCommandUseErrorActionPreference = $false']);
});

test('every command in it is one of both PowerShells, or its own, and no program is run by its name', () => {
  const named = script.commands.filter(({ isCalled }) => !isCalled).map(({ name }) => name);
  expect(script.functions).toEqual(['Find-Program']);
  expect(new Set(named)).toEqual(new Set(['Get-Command', 'Select-Object', 'Find-Program']));
  const called = script.commands.filter(({ isCalled }) => isCalled).slice(1);
  expect(called.map(({ name, arguments: words }) => `${name} ${words.join(' ')}`)).toEqual([
    '$node --version',
    '$npm install --global "agent-relay-codex@$wanted"',
    '$program install @args',
  ]);
  // npm puts a script of each name beside the program, which Windows does not run before its owner allows scripts.
  expect(script.commands.find(({ name }) => name === 'Get-Command')?.arguments.join(' ')).toBe(
    '$name -CommandType Application -ErrorAction SilentlyContinue',
  );
});

test('what each program it runs comes to is looked at next, and ends it in a sentence', () => {
  for (const { next } of script.commands.filter(({ isCalled }) => isCalled).slice(1))
    expect(next).toMatch(/^if \(\$LASTEXITCODE -ne 0\) \{ throw 'install-codex: .+' \}$/u);
});

test('what is missing is said in the words of the other installer', async () => {
  const shell = await read('install-codex.sh');
  const hints = script.commands.filter(({ name }) => name === 'Find-Program').map(({ arguments: [, hint = ''] }) => hint.slice(1, -1));
  expect(hints).toHaveLength(4);
  for (const hint of hints) expect(shell).toContain(hint.split(':')[0]);
});

test('the alias is one line of the profile, and means the program that hands on all that is typed', async () => {
  const { path, line } = shellProfile({ USERPROFILE: 'C:\\Users\\Ada Lovelace' }, 'win32') ?? { path: '', line: '' };
  expect(path).toBe('C:\\Users\\Ada Lovelace\\Documents\\PowerShell\\Microsoft.PowerShell_profile.ps1');
  const { faults, statements, commands, functions } = await readPowerShell(line);
  expect([faults, statements.length, functions]).toEqual([[], 1, []]);
  expect(commands.map(({ name, arguments: words }) => [name, ...words])).toEqual([
    ['Get-Command', 'codex-relay.cmd', '-ErrorAction', 'SilentlyContinue'],
    ['Set-Alias', 'codex', 'codex-relay.cmd'],
  ]);
});

test.each(['README.md', 'install-codex.ps1'])('the lines of %s by which it is fetched are PowerShell', async (name) => {
  const lines = [...(await read(name)).matchAll(/(?:& \(\[scriptblock\]|irm https).*install-codex\.ps1.*$/gmu)].map(([line]) => line);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect((await readPowerShell(line)).faults).toEqual([]);
});
