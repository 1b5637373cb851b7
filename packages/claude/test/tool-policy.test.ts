import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mayAskBeyond, mustAsk, refuseAlways, refuseWhenAsked, type ToolPolicy } from '../src/provider/tool-policy.ts';

let folder: string;
let cwd: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tool-policy-')));
  cwd = join(folder, 'work');
  mkdirSync(cwd);
});

afterEach(() => rmSync(folder, { recursive: true }));

const policy = (changes: Partial<ToolPolicy> = {}): ToolPolicy => ({
  mode: 'agentic',
  approval: 'open',
  ask: false,
  cwd,
  relayServers: ['agent-relay'],
  ...changes,
});
const linked = (name: string, target: string, below = ''): string => {
  symlinkSync(target, join(cwd, name));
  return join(cwd, name, below);
};
const belowFile = (): string => {
  writeFileSync(join(cwd, 'file'), '');
  return join(cwd, 'file', 'a');
};
const write = (path: string) => ({ name: 'Write', input: { file_path: path, content: 'x' } });

describe('agentic', () => {
  test('edits inside its folder, also where a folder does not exist yet', () => {
    expect(refuseWhenAsked(write(join(cwd, 'new', 'folder', 'a.txt')), policy())).toBeNull();
    expect(refuseWhenAsked({ name: 'NotebookEdit', input: { notebook_path: 'a.ipynb' } }, policy())).toBeNull();
  });

  test.each([
    ['above its folder', () => join(cwd, '..', 'a.txt')],
    ['in a folder whose name begins like its own', () => `${cwd}-other/a.txt`],
    ['through a link that leads out', () => linked('out', folder, 'a.txt')],
    ['at a link to what does not exist outside', () => linked('dangling', join(folder, 'none'))],
    ['through a loop of links', () => linked('loop', 'loop', 'a')],
    ['below a file', belowFile],
    ['without saying where', () => ''],
  ])('does not edit %s', (_, path) => {
    expect(refuseAlways(write(path()), policy())).toEqual(expect.any(String));
  });

  test('does not edit what could run commands for it', () => {
    expect(refuseAlways(write(join(cwd, '.git', 'hooks', 'pre-commit')), policy())).toContain('.git');
    expect(refuseAlways(write(join(cwd, '.claude', 'settings.json')), policy())).toContain('.claude');
    expect(refuseAlways(write(join(cwd, 'sub', '.mcp.json')), policy())).toContain('.mcp.json');
  });

  test.each([
    ['a command that does more than read', { name: 'Bash', input: { command: 'node --test' } }, true],
    ['the network', { name: 'WebFetch', input: { url: 'https://example.com' } }, true],
    ['a command that reads', { name: 'Bash', input: { command: 'ls -la /' } }, false],
    ['an edit in its folder', { name: 'Write', input: { file_path: 'a.txt', content: 'x' } }, false],
    ['an edit outside it', { name: 'Write', input: { file_path: '/etc/hosts', content: 'x' } }, false],
    ['an edit of what can run commands', { name: 'Write', input: { file_path: '.git/config', content: 'x' } }, false],
  ])('where it may ask, it asks for what goes beyond and for nothing else: %s', (_what, use, asks) => {
    expect(mayAskBeyond(use, policy({ ask: true }))).toBe(asks);
    expect(mayAskBeyond(use, policy())).toBe(false);
    expect(mayAskBeyond(use, policy({ ask: true, approval: 'read-only' }))).toBe(false);
    for (const mode of ['safe', 'unrestricted'] as const) expect(mayAskBeyond(use, policy({ ask: true, mode }))).toBe(false);
  });

  test('reads anywhere, and runs no command that Claude asks about', () => {
    expect(refuseWhenAsked({ name: 'Read', input: { file_path: '/etc/hosts' } }, policy())).toBeNull();
    expect(refuseWhenAsked({ name: 'Bash', input: { command: 'npm test' } }, policy())).toContain('only commands that read');
    expect(refuseAlways({ name: 'Bash', input: { command: 'npm test' } }, policy())).toBeNull();
    expect(refuseWhenAsked({ name: 'WebFetch', input: { url: 'https://example.org' } }, policy())).toContain('WebFetch');
    expect(refuseWhenAsked({ name: 'mcp__other__tool', input: {} }, policy())).toContain('mcp__other__tool');
  });
});

describe('safe', () => {
  test('has the relay tools and no others', () => {
    const safe = policy({ mode: 'safe' });
    expect(refuseAlways({ name: 'mcp__agent-relay__relay_send', input: {} }, safe)).toBeNull();
    for (const name of ['Read', 'Write', 'Bash', 'Task', 'mcp__agent-relay-evil__x'])
      expect(refuseAlways({ name, input: {} }, safe)).toContain('safe mode');
  });
});

describe('unrestricted', () => {
  test('does everything but ask a person', () => {
    const free = policy({ mode: 'unrestricted' });
    for (const use of [write('/etc/a'), { name: 'Bash', input: { command: 'rm a' } }, { name: 'WebFetch', input: {} }]) {
      expect(refuseWhenAsked(use, free)).toBeNull();
    }
    expect(refuseWhenAsked({ name: 'AskUserQuestion', input: {} }, free)).toContain('No person');
  });
});

describe('a turn with relay mail', () => {
  const reading = [
    { name: 'Read', input: {} },
    { name: 'Bash', input: { command: 'git status' } },
    { name: 'mcp__agent-relay__relay_reply', input: {} },
  ];
  const doing = () => [write(join(cwd, 'a')), { name: 'Bash', input: { command: 'npm test' } }, { name: 'WebFetch', input: { url: 'x' } }];

  test.each(['agentic', 'unrestricted'] as const)('read-only: only reads and answers in %s mode', (mode) => {
    const restricted = policy({ mode, approval: 'read-only' });
    for (const use of reading) expect([refuseAlways(use, restricted), mustAsk(use, restricted)]).toEqual([null, false]);
    for (const use of doing()) expect(refuseAlways(use, restricted)).toContain('read-only');
  });

  test.each(['agentic', 'unrestricted'] as const)('guarded: needs a person to do more than read and answer in %s mode', (mode) => {
    const guarded = policy({ mode, approval: 'guarded' });
    for (const use of reading) expect([refuseAlways(use, guarded), mustAsk(use, guarded)]).toEqual([null, false]);
    for (const use of doing()) expect([refuseAlways(use, guarded), mustAsk(use, guarded)]).toEqual([null, true]);
  });

  test('starts a subagent that ends with it, and no other unasked', () => {
    const guarded = policy({ approval: 'guarded' });
    const asks = (input: Record<string, unknown>) => mustAsk({ name: 'Agent', input }, guarded);
    const inTurn = { prompt: 'x', run_in_background: false };
    expect([asks(inTurn), asks({ prompt: 'x' }), asks({ run_in_background: true }), asks({ ...inTurn, isolation: 'worktree' })]).toEqual([
      ...[false, true],
      ...[true, true],
    ]);
  });

  test('guarded: what the mode forbids is not even asked', () => {
    expect(refuseAlways(write('/etc/a'), policy({ approval: 'guarded' }))).toContain('inside');
    expect(refuseAlways({ name: 'Bash', input: {} }, policy({ mode: 'safe', approval: 'guarded' }))).toContain('safe mode');
  });
});
