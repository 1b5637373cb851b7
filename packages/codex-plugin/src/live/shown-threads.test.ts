import { describe, expect, test } from 'vitest';
import type { CodexTerminal } from './codex-terminals.ts';
import { ShownThreads } from './shown-threads.ts';

const terminal = (pid: number, more: Partial<CodexTerminal> = {}): CodexTerminal => ({
  pid,
  startedAt: pid * 10_000,
  folder: '/shop',
  resumes: null,
  goesOn: false,
  ...more,
});
const thread = (id: string, createdAt: number, folder = '/shop') => ({ id, folder, createdAt });
const none = new Set<string>();

describe('a conversation is shown', () => {
  test('from when its terminal opened it until the terminal is closed', () => {
    const shown = new ShownThreads();
    const first = thread('01', 11_000);
    expect(shown.update([terminal(1)], [first], new Set(['01']))).toEqual(new Set(['01']));
    expect(shown.update([terminal(1)], [first], none)).toEqual(new Set(['01']));
    expect(shown.update([], [first], none)).toEqual(none);
  });

  test('no more once the only terminal of its folder has begun another', () => {
    const shown = new ShownThreads();
    const both = [thread('01', 11_000), thread('02', 12_000)];
    shown.update([terminal(1)], both.slice(0, 1), new Set(['01']));
    expect(shown.update([terminal(1)], both, new Set(['02']))).toEqual(new Set(['02']));
  });

  test('by the terminal that opened it, whichever of two in one folder is closed', () => {
    const both = [thread('01', 11_000), thread('02', 21_000)];
    for (const [left, expected] of [
      [1, '01'],
      [2, '02'],
    ] as const) {
      const shown = new ShownThreads();
      shown.update([terminal(1)], both.slice(0, 1), new Set(['01']));
      expect(shown.update([terminal(1), terminal(2)], both, new Set(['02']))).toEqual(new Set(['01', '02']));
      expect(shown.update([terminal(left)], both, none)).toEqual(new Set([expected]));
    }
  });

  test('where nothing was seen of its beginning, if it is younger than a terminal of its folder, or a terminal goes on with one', () => {
    const old = thread('01', 1_000);
    expect(new ShownThreads().update([terminal(1)], [old], none)).toEqual(none);
    expect(new ShownThreads().update([terminal(1)], [thread('01', 9_000)], none)).toEqual(new Set(['01']));
    expect(new ShownThreads().update([terminal(1, { goesOn: true })], [old], none)).toEqual(new Set(['01']));
    expect(new ShownThreads().update([terminal(1, { resumes: '01', folder: '/else' })], [old], none)).toEqual(new Set(['01']));
    expect(new ShownThreads().update([terminal(1)], [thread('01', 11_000, '/else')], none)).toEqual(none);
  });

  test('while any of the terminals runs that may have left another for it', () => {
    const shown = new ShownThreads();
    const threads = [thread('01', 11_000), thread('02', 21_000), thread('03', 22_000)];
    shown.update([terminal(1), terminal(2)], threads.slice(0, 2), new Set(['01', '02']));
    expect(shown.update([terminal(1), terminal(2)], threads, new Set(['03']))).toEqual(new Set(['01', '02', '03']));
    expect(shown.update([terminal(2)], threads, none)).toEqual(new Set(['02', '03']));
    expect(shown.update([], threads, none)).toEqual(none);
  });
});
