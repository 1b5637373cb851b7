import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfiguredHook, HooksFileSchema, RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type EditedYaml, FollowedYaml } from './followed-yaml.ts';
import { readYaml } from './yaml-file.ts';

let folder: string;
let path: string;
const faults: (string | null)[] = [];
let written = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'followed-'));
  path = join(folder, 'agent-relay.yaml');
  faults.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  // Two writes within one tick of the file system's clock look alike.
  written += 1;
  utimesSync(path, written, written);
}

const follow = () =>
  new FollowedYaml<readonly ConfiguredHook[]>({ path, schema: HooksFileSchema, empty: [], onFault: (fault) => faults.push(fault) });
const names = (file: FollowedYaml<readonly ConfiguredHook[]>) => file.current.map(({ name }) => name);

test('a file counts as it is now; with a fault in it, what it said before', () => {
  const file = follow();
  expect([names(file), file.state]).toEqual([[], { file: null, fault: null }]);
  write('hooks:\n  codex:\n    on_turn_complete:\n      - { name: one, command: echo }\n');
  expect(names(file)).toEqual(['one']);
  write('hooks:\n  codex:\n    on_turn_compleet:\n      - { name: two, command: echo }\n');
  expect(names(file)).toEqual(['one']);
  expect(file.state.fault).toBe(`${path}:3: hooks.codex.on_turn_compleet: is nothing that happens; on_turn_complete is meant, perhaps`);
  write('hooks:\n  codex:\n    on_turn_complete:\n      - { name: three, command: echo }\n');
  expect(names(file)).toEqual(['three']);
  rmSync(path);
  expect(names(file)).toEqual([]);
  expect(faults).toEqual([expect.stringContaining('on_turn_compleet'), null]);
});

test.runIf(process.platform !== 'win32')('a file that other users can write is not followed', () => {
  const file = follow();
  write('hooks:\n  codex:\n    on_turn_complete:\n      - { name: one, command: echo }\n');
  chmodSync(path, 0o622);
  expect(names(file)).toEqual([]);
  expect(file.state.fault).toContain('can be written by other users');
});

test.runIf(process.platform !== 'win32')("another user's file is not followed", () => {
  const file = follow();
  write('hooks:\n  codex:\n    on_turn_complete:\n      - { name: one, command: echo }\n');
  // Only root gives a file away; root's own files are followed.
  if (process.getuid?.() === 0) chownSync(path, 4242, 4242);
  const other = vi.spyOn(process, 'getuid').mockReturnValue(4343);
  expect(names(file)).toEqual([]);
  expect(file.state.fault).toContain('belongs to another user');
  other.mockRestore();
});

const faultOf = (text: string): string => {
  try {
    readYaml(text, 'f.yaml', HooksFileSchema);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
const under = (key: string, action: string, whom = 'codex') => `hooks:\n  ${whom}:\n    ${key}:\n      - ${action}\n`;

test.each([
  ['hooks: [', /^f\.yaml:\d: /u],
  [under('on_file_change', `{ notify: "\${fille} changed" }`), /fille\} is nothing that on_file_change says; file is meant, perhaps$/u],
  [under('on_file_change', `{ command: [echo, "\${nothing}"] }`), /nothing\} is nothing that on_file_change says; there are agent, /u],
  [under('on_file_change', `{ command: "echo \${fille}" }`), /file is meant, perhaps$/u],
  [under('on_file_change', '{ command: 7 }'), /\.command: must be a line for the shell, or a list of words$/u],
  [under('on_file_change', '{ notify: 7 }'), /\.notify: must be a text$/u],
  [under('on_file_change', '{ command: x, concurrency: 99 }'), /\.concurrency: must be at most 16$/u],
  [under('on_file_change', '{ relay: Lead, mode: soon }'), /\.mode: must be next, now, urgent or fyi$/u],
  [under('on_file_change', '{ webhook: "https://x.example" }'), /\.secret: is missing$/u],
  ['hooks: []', /hooks: must be keys with values$/u],
  ['hoks: {}', /^f\.yaml:1: hoks: there is no such key$/u],
  [
    `# a comment\n\n${under('on_file_change', '{ command: x, timout: 3s }')}`,
    /^f\.yaml:6: hooks\.codex\.on_file_change\[0\]\.timout: is no word of a command hook; timeout is meant/u,
  ],
  [under('on_file_change', '{ command: x, timeout: 3 }'), /^f\.yaml:4: hooks\.codex\.on_file_change\[0\]\.timeout: /u],
  [
    under('on_file_change', '{ command: x, relay: y }'),
    /must have one of command, relay, webhook, notify, approve, not command and relay$/u,
  ],
  [under('on_file_change', '{ webhook: "ftp://x", secret: 12345678a }'), /webhook: must be an http or https address/u],
  [under('on_file_change', '{ webhook: "https://u:p@x/", secret: 12345678a }'), /webhook: must have no user name/u],
  [under('on_file_change', '{ approve: { edit: true, folder: /w } }'), /say it under on_approval_needed$/u],
  [under('on_approval_needed', '{ approve: { command: [bash, -c], folder: /w } }'), /begins with a program that runs whatever follows it/u],
  [under('on_approval_needed', '{ approve: { edit: true, folder: ../w } }'), /folder: must be absolute/u],
  [under('on_turn_started', '{ command: x, feedback: true }'), /feedback is for/u],
  [under('on_spawned', '{ command: x }', 'relay'), /the relay itself sends messages and webhooks only/u],
  [under('on_task_created', '{ command: x }'), /on_task_created: is nothing that happens, except under relay/u],
  [under('on_spawned', '{ command: x }', '"agent:a b"'), /must be a provider, \*, agent:<id> or relay$/u],
  [`${under('on_spawned', '{ name: x, command: x }')}      - { name: x, command: y }\n`, /two hooks are called x$/u],
])('a fault names its line and its key: %s', (text, expected) => {
  expect(faultOf(text)).toMatch(expected);
});

test('a file of aliases is not unfolded without end', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let letter = 98; letter < 106; letter += 1) {
    const before = `*${String.fromCharCode(letter - 1)}`;
    bomb.push(`${String.fromCharCode(letter)}: &${String.fromCharCode(letter)} [${Array(10).fill(before).join(', ')}]`);
  }
  expect(faultOf(bomb.join('\n'))).toMatch(/^f\.yaml:1: .*alias/iu);
});

test('a file in which everything is wrong is told in a few sentences', () => {
  const wrong = Array.from({ length: 5_000 }, (_, index) => `wrong${index}: 1\n`).join('');
  const list = `hooks:\n  codex:\n    on_spawned:\n${'      - { notify: 7 }\n'.repeat(5_000)}`;
  for (const text of [wrong, list, `hooks: ${'['.repeat(5_000)}`]) expect(faultOf(text).match(/f\.yaml:/gu)).toHaveLength(20);
  expect(() => readYaml(wrong, 'f.yaml', HooksFileSchema)).toThrow(
    expect.objectContaining({ issues: expect.objectContaining({ length: 20 }) }),
  );
});

const relayOf = (name: string) => ({ name, relay: 'Lead' });

test('a change from here leaves what else is in the file as it is, its comments and its rights too, and counts at once', () => {
  const file = follow();
  file.edit((yaml) => yaml.setIn(['hooks', 'relay', 'on_released'], [relayOf('first')]));
  expect([names(file), statSync(path).mode & 0o777]).toEqual([['first'], 0o600]);
  write('# mine\nhooks:\n  codex: # all of them\n    on_turn_complete:\n      - { name: one, command: "echo $HOOK_AGENT" } # says so\n');
  chmodSync(path, 0o640);
  file.edit((yaml) => yaml.setIn(['hooks', 'relay', 'on_released'], [relayOf('two')]));
  expect(names(file)).toEqual(['one', 'two']);
  expect(readFileSync(path, 'utf8')).toBe(
    '# mine\nhooks:\n  codex:\n    # all of them\n    on_turn_complete:\n      - { name: one, command: "echo $HOOK_AGENT" } # says so\n' +
      '  relay:\n    on_released:\n      - name: two\n        relay: Lead\n',
  );
  expect([statSync(path).mode & 0o777, readdirSync(folder)]).toEqual([0o640, ['agent-relay.yaml']]);
});

test('nothing is written to a file with a fault, nor one that would have one, nor where the way leads through a name for another part', () => {
  const file = follow();
  const good = 'hooks:\n  codex: &all\n    on_turn_complete:\n      - { name: one, command: echo }\n  gemini: *all\n';
  const change = (yaml: EditedYaml) => yaml.setIn(['hooks', 'relay', 'on_nothing'], [relayOf('two')]);
  const edited = (edit: (yaml: EditedYaml) => void) => {
    try {
      file.edit(edit);
      return 'done';
    } catch (error) {
      return error instanceof RelayError ? error.code : error;
    }
  };
  write(good.replace('*all', '{}'));
  expect(edited(change)).toBe('validation_failed');
  write(good.replace('name: one, ', ''));
  expect(edited((yaml) => yaml.setIn(['hooks', 'gemini', 'on_released'], []))).toBe('unsupported');
  expect(readFileSync(path, 'utf8')).toBe(good.replace('name: one, ', ''));
  const named = 'hooks:\n  codex:\n    on_spawned:\n      - &one { command: echo }\n    on_released: [*one]\n';
  write(named);
  expect(edited((yaml) => void yaml.deleteIn(['hooks', 'codex', 'on_spawned', 0]))).toBe('unsupported');
  expect(readFileSync(path, 'utf8')).toBe(named);
  write('hooks: [\n');
  expect(edited(change)).toBe('busy');
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['hooks: [\n', ['agent-relay.yaml']]);
});

test.runIf(process.platform !== 'win32')('a link to the file stays one', () => {
  const elsewhere = join(folder, 'mine.yaml');
  writeFileSync(elsewhere, 'hooks: {}\n', { mode: 0o600 });
  symlinkSync(elsewhere, path);
  const file = follow();
  file.edit((yaml) => yaml.setIn(['hooks', 'relay'], { on_released: [relayOf('one')] }));
  expect([names(file), lstatSync(path).isSymbolicLink()]).toEqual([['one'], true]);
  expect(readFileSync(elsewhere, 'utf8')).toContain('name: one');
});
