import type { ApprovalRule, PendingApproval } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { endOf, newRule, ruleAllows, ruledTagsOf } from './approval-rule.ts';

const asked: PendingApproval = {
  ...{ approvalId: 'a1', agentId: 'Worker', sessionId: 's1', kind: 'execute', title: 'Run npm test', cwd: '/srv/app' },
  ...{ input: { command: 'npm test -- --watch' }, requestedAt: 5, status: 'pending', resolvedAt: null, by: null, message: null },
  options: [
    { id: 'allow', label: 'Allow', outcome: 'allow' },
    { id: 'deny', label: 'Deny', outcome: 'deny' },
  ],
};
const origin = { id: 7, by: 'owner', now: 10, asked: null };
const rule = newRule({ agentId: 'Worker', command: ['npm', 'test'], folder: '/srv' }, origin);
const edits = newRule({ agentId: 'Worker', kind: 'edit', folder: '/srv/app' }, origin);
const allows = (over: Partial<PendingApproval> = {}, by: ApprovalRule = rule, tags: readonly string[] = [], now = 20) =>
  ruleAllows(by, { ...asked, ...over }, tags, now);

describe('a rule for commands', () => {
  test('allows what begins with its words, in its folder and below', () => {
    expect([allows(), allows({ cwd: '/srv' }), allows({ input: { command: `/bin/bash -lc 'npm test'`, reason: 'to check' } })]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test.each<[string, Partial<PendingApproval>]>([
    ['another agent', { agentId: 'Lead' }],
    ['another kind', { kind: 'fetch' }],
    ['another command', { input: { command: 'npm publish' } }],
    ['a part of a word', { input: { command: 'npm tests' } }],
    ['fewer words', { input: { command: 'npm' } }],
    ['a list', { input: { command: 'npm test; rm -rf /' } }],
    ['a field that nobody knows', { input: { command: 'npm test', network: { host: 'x' } } }],
    ['a command that runs on in the background', { input: { command: 'npm test', run_in_background: true } }],
    ['a command that is no text', { input: { command: ['npm', 'test'] } }],
    ['a command that is no text, with one word', { input: { command: ['npm test'] } }],
    ['an input that is cut', { input: 'npm test… more' }],
    ['no input', { input: undefined }],
    ['another folder', { cwd: '/srv2/app' }],
    ['a way back up', { cwd: '/srv/../etc' }],
    ['a relative folder', { cwd: 'srv' }],
    ['no folder', { cwd: undefined }],
    ['a yes for longer than once', { options: [{ id: 'always', label: 'Always', outcome: 'allow_always' }] }],
    ['a form', { form: [{ id: 'q', text: 'Which?', choices: [], allowsText: true }] }],
  ])('does not allow %s', (_, over) => {
    expect(allows(over)).toBe(false);
  });

  test('for a tag is for every agent that has it', () => {
    const tagged = newRule({ tag: 'ci', command: ['npm'], folder: '/' }, origin);
    expect([allows({}, tagged, ['ci']), allows({}, tagged, ['docs'])]).toEqual([true, false]);
  });

  test('finds an agent by the tags that the owner gave, as long as it has them', () => {
    expect([{ tags: ['ci'] }, { tags: ['ci', 'x'], givenTags: ['ci'] }, { tags: ['x'], givenTags: ['ci'] }].map(ruledTagsOf)).toEqual([
      [],
      ['ci'],
      [],
    ]);
  });

  test('ends: when it is over, used up, or revoked', () => {
    const limited = newRule({ agentId: 'Worker', command: ['npm'], folder: '/', expiresAt: 30, maxUses: 2 }, origin);
    expect([allows({}, limited), allows({}, limited, [], 30), allows({}, { ...limited, uses: 2 })]).toEqual([true, false, false]);
    expect([endOf(limited, 20), endOf(limited, 30), endOf({ ...limited, uses: 2 }, 20)]).toEqual([null, 'expired', 'used_up']);
    expect(allows({}, { ...limited, ended: 'revoked' })).toBe(false);
  });
});

describe('a rule for edits', () => {
  const edit = (input: NonNullable<PendingApproval['input']>) => allows({ kind: 'edit', input }, edits);

  test('allows files below its folder, however the vendor says them', () => {
    expect([
      edit({ file_path: '/srv/app/src/a.ts', content: 'x' }),
      edit({ changes: [{ path: '/srv/app/a', change: 'add', moveTo: null, diff: '+' }] }),
      edit({ path: '/srv/app/a', content: 'x' }),
    ]).toEqual([true, true, true]);
  });

  test.each<[string, NonNullable<PendingApproval['input']>]>([
    ['a file outside', { file_path: '/srv/a.ts', content: 'x' }],
    ['a way out', { file_path: '/srv/app/../a.ts', content: 'x' }],
    ['what is hidden', { file_path: '/srv/app/.git/hooks/pre-commit', content: 'x' }],
    ['one file outside among several', { changes: [{ path: '/srv/app/a' }, { path: '/etc/a' }] }],
    ['a move to outside', { changes: [{ path: '/srv/app/a', moveTo: '/etc/a' }] }],
    ['a whole root', { changes: [{ path: '/srv/app/a' }], below: '/srv/app' }],
    ['a path that ends before its end', { file_path: '/srv/app/a\0.ts', content: 'x' }],
    ['a part that is not seen', { file_path: '/srv/app/\u200c.git/config', content: 'x' }],
    ['a short name of what is hidden', { file_path: '/srv/app/GIT~1/config', content: 'x' }],
    ['no file', { content: 'x' }],
    ['a file that is no text', { file_path: 7, content: 'x' }],
    ['a field that nobody knows', { file_path: '/srv/app/a', run: 'x' }],
  ])('does not allow %s', (_, input) => {
    expect(edit(input)).toBe(false);
  });
});

describe('making one', () => {
  test('from a question takes what that says, unless something narrower is said', () => {
    expect(newRule({ agentId: 'Worker' }, { ...origin, asked })).toMatchObject({
      name: 'npm test -- --watch in /srv/app',
      ...{ kind: 'execute', command: ['npm', 'test', '--', '--watch'], folder: '/srv/app', createdBy: 'owner', uses: 0 },
    });
    expect(newRule({ agentId: 'Worker', command: ['npm'], name: 'npm' }, { ...origin, asked })).toMatchObject({
      name: 'npm',
      command: ['npm'],
    });
  });

  test.each([
    ['no agent', { command: ['npm'], folder: '/' }, 'agentId'],
    ['an agent and a tag', { agentId: 'a', tag: 't', command: ['npm'], folder: '/' }, 'agentId'],
    ['no command', { agentId: 'a', folder: '/' }, 'command'],
    ['a command for edits', { agentId: 'a', kind: 'edit' as const, command: ['npm'], folder: '/' }, 'command'],
    ['a program that runs anything', { agentId: 'a', command: ['/bin/sh', '-c'], folder: '/' }, 'command'],
    ['no folder', { agentId: 'a', command: ['npm'] }, 'folder'],
    ['a relative folder', { agentId: 'a', command: ['npm'], folder: 'src' }, 'folder'],
    ['a time that is over', { agentId: 'a', command: ['npm'], folder: '/', expiresAt: 10 }, 'expiresAt'],
  ])('refuses %s by its field', (_, input, path) => {
    expect(() => newRule(input, origin)).toThrow(
      expect.objectContaining({ code: 'validation_failed', issues: [expect.objectContaining({ path })] }),
    );
  });

  test('refuses a question that no rule understands', () => {
    const piped = { ...asked, input: { command: 'npm test | tee x' } };
    expect(() => newRule({ agentId: 'Worker' }, { ...origin, asked: piped })).toThrow(/^approvalId/u);
  });
});
