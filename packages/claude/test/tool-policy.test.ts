import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionRights } from 'agent-relay-provider/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClaudeRights, type ClaudeToolUse, judgeToolUse } from '../src/provider/tool-policy.ts';

let folder: string;
let cwd: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tool-policy-')));
  cwd = join(folder, 'work');
  mkdirSync(cwd);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A verdict in short: `allow`, `ask: mail`, or the sentence of a refusal. */
function judge(use: ClaudeToolUse, rights: Partial<ClaudeRights> = {}, isMailTurn = false): string {
  const all = { mode: 'agentic', approval: 'open', cwd, relayServers: ['agent-relay'], ...rights } as const;
  const verdict = judgeToolUse(use, all, isMailTurn);
  if (verdict.outcome === 'refuse') return verdict.message;
  return verdict.outcome === 'allow' ? 'allow' : `ask: ${verdict.because}`;
}
const byMail = (use: ClaudeToolUse, rights: Partial<SessionRights>) => judge(use, rights, true);
const linked = (name: string, target: string, below = ''): string => {
  symlinkSync(target, join(cwd, name));
  return join(cwd, name, below);
};
const belowFile = (): string => {
  writeFileSync(join(cwd, 'file'), '');
  return join(cwd, 'file', 'a');
};
const write = (path: string) => ({ name: 'Write', input: { file_path: path, content: 'x' } });

const bash = (command: string) => ({ name: 'Bash', input: { command } });

describe('agentic', () => {
  test('edits inside its folder, also where a folder does not exist yet', () => {
    expect(judge(write(join(cwd, 'new', 'folder', 'a.txt')))).toBe('allow');
    expect(judge({ name: 'NotebookEdit', input: { notebook_path: 'a.ipynb' } })).toBe('allow');
  });

  test.each([
    ['above its folder', () => join(cwd, '..', 'a.txt'), 'is outside'],
    ['in a folder whose name begins like its own', () => `${cwd}-other/a.txt`, 'is outside'],
    ['through a link that leads out', () => linked('out', folder, 'a.txt'), 'is outside'],
    ['at a link to what does not exist outside', () => linked('dangling', join(folder, 'none')), 'is outside'],
    ['through a loop of links', () => linked('loop', 'loop', 'a'), 'is outside'],
    ['below a file', belowFile, 'is outside'],
    ['in the home folder', () => '~/a.txt', 'is outside'],
    ["in another user's", () => '~other/a.txt', 'is outside'],
    ['without saying where', () => '', 'did not say'],
  ])('does not edit %s', (_, path, why) => {
    expect(judge(write(path()))).toContain(why);
  });

  test('does not edit what could run commands for it', () => {
    expect(judge(write(join(cwd, '.git', 'hooks', 'pre-commit')))).toContain('.git');
    expect(judge(write(join(cwd, '.claude', 'settings.json')))).toContain('.claude');
    expect(judge(write(join(cwd, 'sub', '.mcp.json')))).toContain('.mcp.json');
  });

  test.each([
    ['a command that does more than read', bash('node --test'), true],
    ['the network', { name: 'WebFetch', input: { url: 'https://example.com' } }, true],
    ['a command that reads', bash('ls -la /'), false],
    ['an edit in its folder', write('a.txt'), false],
    ['an edit outside it', write('/etc/hosts'), false],
    ['an edit of what can run commands', write('.git/config'), false],
  ])('where it may ask, it asks for what goes beyond and for nothing else: %s', (_what, use, asks) => {
    expect(judge(use, { ask: true }) === 'ask: beyond').toBe(asks);
    expect(judge(use)).not.toContain('ask:');
  });

  test('reads anywhere, starts what is asked about itself, and runs no command that Claude asks about', () => {
    expect(judge({ name: 'Read', input: { file_path: '/etc/hosts' } })).toBe('allow');
    for (const name of ['Task', 'Agent', 'Skill', 'TaskStop']) expect(judge({ name, input: {} })).toBe('allow');
    expect(judge(bash('npm test'))).toContain('only commands that read');
    expect(judge({ name: 'WebFetch', input: { url: 'https://example.org' } })).toMatch(/WebFetch .* permission rule/u);
    expect(judge({ name: 'mcp__other__tool', input: {} })).toContain('mcp__other__tool');
  });
});

describe('agentic, where it looks into its folder alone', () => {
  const look = (name: string, input: Record<string, string>) => judge({ name, input }, { looksInside: true });

  test.each([
    ['Read', { file_path: 'a.txt' }],
    ['Grep', { pattern: '^/etc/..' }],
    ['Grep', { pattern: 'x', path: '.', glob: '*.ts' }],
    ['Glob', { pattern: 'src/**/*.{ts,js}' }],
    ['Glob', { pattern: '*', path: 'not/there/yet' }],
  ])('%s with %j is done', (name, input) => {
    expect(look(name, input)).toBe('allow');
  });

  test.each([
    ['Read', () => ({ file_path: join(folder, 'other', 'a.txt') })],
    ['Read', () => ({ file_path: '../other/a.txt' })],
    ['Read', () => ({ file_path: '~/.ssh/id_ed25519' })],
    ['Read', () => ({ file_path: linked('out', folder, 'a.txt') })],
    ['NotebookRead', () => ({ notebook_path: '/a.ipynb' })],
    ['LS', () => ({ path: folder })],
    ['Grep', () => ({ pattern: 'x', path: folder })],
    ['Grep', () => ({ pattern: 'x', glob: '../**' })],
    ['Glob', () => ({ pattern: '*', path: '..' })],
    ['Glob', () => ({ pattern: `${cwd}*/a.txt` })],
    ['Glob', () => ({ pattern: `${cwd}/{..,b}/*` })],
    ['Glob', () => ({ pattern: '~/*' })],
  ])('%s of what lies elsewhere is refused', (name, input) => {
    expect(look(name, input())).toContain('is outside');
  });

  test('in its folder, by its whole name, it looks', () => {
    expect(look('Glob', { pattern: join(cwd, 'src', '*.ts') })).toBe('allow');
    expect(look('Read', { file_path: join(cwd, 'a.txt') })).toBe('allow');
  });
});

test('a safe session has the relay tools and no others, but what tells which there are', () => {
  expect(judge({ name: 'mcp__agent-relay__relay_send', input: {} }, { mode: 'safe' })).toBe('allow');
  expect(judge({ name: 'ToolSearch', input: {} }, { mode: 'safe' })).toBe('allow');
  for (const name of ['Read', 'Write', 'Bash', 'Task', 'mcp__agent-relay-evil__x'])
    expect(judge({ name, input: {} }, { mode: 'safe' })).toContain('safe mode');
});

test.each(['safe', 'agentic', 'unrestricted'] as const)('what Claude asks people reaches them where there are any (%s)', (mode) => {
  for (const rights of [{ ask: true }, { approval: 'guarded' } as const]) {
    for (const name of ['AskUserQuestion', 'ExitPlanMode']) expect(judge({ name, input: {} }, { mode, ...rights })).toBe('ask: question');
  }
  expect(judge({ name: 'AskUserQuestion', input: {} }, { mode })).toContain('No person');
  if (mode !== 'safe') expect(judge({ name: 'ExitPlanMode', input: {} }, { mode })).toBe('allow');
});

test('an unrestricted session that nobody watches does everything but ask a person', () => {
  for (const use of [write('/etc/a'), bash('rm a'), { name: 'WebFetch', input: {} }]) {
    expect(judge(use, { mode: 'unrestricted' })).toBe('allow');
  }
  expect(judge({ name: 'AskUserQuestion', input: {} }, { mode: 'unrestricted' })).toContain('No person');
});

describe('a turn with relay mail', () => {
  const reading = [
    { name: 'Read', input: {} },
    { name: 'ToolSearch', input: {} },
    bash('git status'),
    { name: 'mcp__agent-relay__relay_reply', input: {} },
  ];
  const doing = () => [write(join(cwd, 'a')), bash('npm test'), { name: 'WebFetch', input: { url: 'x' } }, { name: 'Skill', input: {} }];

  test.each(['agentic', 'unrestricted'] as const)('read-only: only reads and answers in %s mode', (mode) => {
    for (const use of reading) expect(byMail(use, { mode, approval: 'read-only' })).toBe('allow');
    for (const use of doing()) expect(byMail(use, { mode, approval: 'read-only', ask: true })).toContain('read-only');
  });

  test.each(['agentic', 'unrestricted'] as const)('guarded: needs a person to do more than read and answer in %s mode', (mode) => {
    for (const use of reading) expect(byMail(use, { mode, approval: 'guarded' })).toBe('allow');
    for (const use of doing()) expect(byMail(use, { mode, approval: 'guarded' })).toBe('ask: mail');
  });

  test('starts a subagent that ends with it, and no other unasked', () => {
    const agent = (input: Record<string, unknown>) => byMail({ name: 'Agent', input }, { approval: 'guarded' });
    const inTurn = { prompt: 'x', run_in_background: false };
    expect([
      agent(inTurn),
      agent({ prompt: 'x' }),
      agent({ run_in_background: true }),
      agent({ ...inTurn, isolation: 'worktree' }),
    ]).toEqual(['allow', ...['ask: mail', 'ask: mail', 'ask: mail']]);
  });

  test('guarded: what the mode forbids is not even asked', () => {
    expect(byMail(write('/etc/a'), { approval: 'guarded' })).toContain('inside');
    expect(byMail({ name: 'Bash', input: {} }, { mode: 'safe', approval: 'guarded' })).toContain('safe mode');
  });
});
