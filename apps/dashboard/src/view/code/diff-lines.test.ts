import { expect, test } from 'vitest';
import { diffLinesOf } from './diff-lines.ts';

test('a diff is told line by line, and a line that was taken out is no header', () => {
  const diff = [
    'diff --git a/a.sql b/a.sql',
    '--- a/a.sql',
    '+++ b/a.sql',
    '@@ -1,3 +1,2 @@',
    ' select 1',
    '--- a comment',
    '+-- another',
    '\\ No newline at end of file',
  ];
  expect(diffLinesOf(`${diff.join('\n')}\n`).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'header null',
    'header a.sql',
    'header a.sql',
    'hunk a.sql',
    'same a.sql',
    'removed a.sql',
    'added a.sql',
    'header a.sql',
  ]);
});

test('of several files each line knows its own, also where one is new', () => {
  const diff = '--- a/x.ts\t2026-01-01\n+++ b/x.ts\t2026-01-01\n@@ -1 +1 @@\n-a\n+b\n--- /dev/null\n+++ b/y.py\n@@ -0,0 +1 @@\n+c';
  expect(
    diffLinesOf(diff)
      .filter(({ kind }) => kind === 'added')
      .map(({ path }) => path),
  ).toEqual(['x.ts', 'y.py']);
});
