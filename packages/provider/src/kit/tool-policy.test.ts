import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeTool, type SessionRights, type ToolUse, type ToolVerdict } from './tool-policy.ts';

let cwd: string;

beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'tool-policy-')));
});

afterAll(() => rmSync(cwd, { recursive: true }));

const uses: Readonly<Record<string, ToolUse>> = {
  relay: { kind: 'relay', name: 'relay_send' },
  read: { kind: 'read', name: 'Read' },
  start: { kind: 'start', name: 'Task' },
  edit: { kind: 'edit', name: 'Edit', paths: ['a.txt', 'new/b.txt'] },
  'edit outside': { kind: 'edit', name: 'Edit', paths: ['a.txt', '/etc/hosts'] },
  'edit of what runs': { kind: 'edit', name: 'Edit', paths: ['.git/config'] },
  'edit of nothing': { kind: 'edit', name: 'Edit', paths: [] },
  question: { kind: 'question', name: 'Ask' },
  other: { kind: 'other', name: 'Bash' },
};

const short = (verdict: ToolVerdict): string => (verdict.outcome === 'allow' ? 'allow' : `${verdict.outcome}: ${verdict.because}`);
const verdicts = (rights: Omit<SessionRights, 'cwd'>, isMailTurn: boolean) =>
  Object.fromEntries(Object.entries(uses).map(([what, use]) => [what, short(judgeTool(use, { ...rights, cwd }, isMailTurn))]));

const always = (people: boolean) => ({ relay: 'allow', question: people ? 'ask: question' : 'refuse: nobody-watches' });
const fence = {
  'edit outside': 'refuse: outside',
  'edit of what runs': 'refuse: guarded',
  'edit of nothing': 'refuse: outside',
};
const allOf = (verdict: string) => Object.fromEntries(Object.keys(uses).map((what) => [what, verdict]));

const agentic = (people: boolean) => ({ ...allOf('allow'), ...fence, ...always(people) });

describe.each(['open', 'guarded', 'read-only'] as const)('with approval %s', (approval) => {
  test.each([true, false])('a safe session has the relay tools alone, in every turn (mail: %s)', (isMailTurn) => {
    expect(verdicts({ mode: 'safe', approval, ask: true }, isMailTurn)).toEqual({ ...allOf('refuse: safe'), ...always(true) });
  });

  test('in a turn without mail the mode decides, and a person where it may ask: no approval narrows it', () => {
    expect(verdicts({ mode: 'agentic', approval }, false)).toEqual({ ...agentic(approval === 'guarded'), other: 'refuse: beyond' });
    expect(verdicts({ mode: 'agentic', approval, ask: true }, false)).toEqual({ ...agentic(true), other: 'ask: beyond' });
    expect(verdicts({ mode: 'unrestricted', approval, ask: true }, false)).toEqual({ ...allOf('allow'), ...always(true) });
  });
});

describe('a turn of mail', () => {
  test('in an open session is like any other', () => {
    for (const mode of ['safe', 'agentic', 'unrestricted'] as const) {
      for (const ask of [true, false]) {
        expect(verdicts({ mode, approval: 'open', ask }, true)).toEqual(verdicts({ mode, approval: 'open', ask }, false));
      }
    }
  });

  test.each([true, false])(
    'of a guarded session asks a person before it does more than read, for what the mode allows at all (ask: %s)',
    (ask) => {
      const asked = { ...allOf('ask: mail'), read: 'allow', ...always(true) };
      expect(verdicts({ mode: 'agentic', approval: 'guarded', ask }, true)).toEqual({ ...asked, ...fence });
      expect(verdicts({ mode: 'unrestricted', approval: 'guarded', ask }, true)).toEqual(asked);
    },
  );

  test.each(['agentic', 'unrestricted'] as const)(
    'of a read-only session reads, also where a person may be asked for more (%s)',
    (mode) => {
      const reading = { ...allOf('refuse: read-only'), read: 'allow' };
      for (const ask of [true, false]) expect(verdicts({ mode, approval: 'read-only', ask }, true)).toEqual({ ...reading, ...always(ask) });
    },
  );
});

test('a refusal tells the model why, with the tool, the file or the part that it is about', () => {
  const message = (what: string, rights: Omit<SessionRights, 'cwd'>, isMailTurn = false) => {
    const use = uses[what];
    const verdict = use && judgeTool(use, { ...rights, cwd }, isMailTurn);
    return verdict?.outcome === 'refuse' ? verdict.message : undefined;
  };
  const rights = { mode: 'agentic', approval: 'read-only' } as const;
  expect(message('edit outside', rights)).toBe(`This session may edit files inside ${cwd} only; /etc/hosts is outside.`);
  expect(message('edit of what runs', rights)).toBe('This session may not edit .git: what is in there can run commands.');
  expect(message('edit of nothing', rights)).toBe('Edit did not say which file it would change.');
  expect(message('other', rights)).toMatch(/^This session may read, and edit inside its folder\. Bash needs /u);
  expect(message('other', rights, true)).toMatch(/read-only here: Bash is not available/u);
});
