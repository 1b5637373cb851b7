import { expect, test } from 'vitest';
import { fileChanges, lineDiff } from './file-changes.ts';

test('a change is one hunk between what both texts begin and end with', () => {
  expect(lineDiff('a\nb\nc\n', 'a\nx\ny\nc\n')).toBe('@@ -2,1 +2,2 @@\n-b\n+x\n+y\n');
  expect(lineDiff('', 'a\n')).toBe('@@ -0,0 +1,1 @@\n+a\n');
  expect(lineDiff('a\na\n', 'a\n')).toBe('@@ -2,1 +1,0 @@\n-a\n');
  expect(lineDiff('same', 'same')).toBe('');
});

test('what was added, changed and deleted is told apart', () => {
  const diff = { type: 'diff', path: '/a' };
  const parts = [
    { ...diff, newText: 'x' },
    { ...diff, oldText: 'x', newText: 'y' },
    { ...diff, oldText: 'x', newText: '', _meta: { kind: 'delete' } },
    { type: 'diff', newText: 'nowhere' },
    { type: 'content' },
  ];
  const content = parts.map((part) => ({
    ...{ content: undefined, path: undefined, oldText: undefined, newText: undefined, _meta: undefined },
    ...part,
  }));
  expect(fileChanges({ content, kind: 'edit', locations: [{ path: '/elsewhere' }], rawOutput: undefined })).toEqual([
    { path: '/a', change: 'added', diff: '@@ -0,0 +1,1 @@\n+x\n' },
    { path: '/a', change: 'updated', diff: '@@ -1,1 +1,1 @@\n-x\n+y\n' },
    { path: '/a', change: 'deleted', diff: '@@ -1,1 +0,0 @@\n-x\n' },
  ]);
});

test('an edit that shows no diff changed the places that it names, and nothing else does', () => {
  const told = (kind: string, exists?: boolean) =>
    fileChanges({
      content: [],
      kind,
      locations: [{ path: 'a' }, { path: 'a' }, { path: '' }],
      rawOutput: { metadata: { exists, exit: undefined } },
    });
  expect([told('edit'), told('edit', false), told('delete')]).toEqual([
    [{ path: 'a', change: 'updated' }],
    [{ path: 'a', change: 'added' }],
    [{ path: 'a', change: 'deleted' }],
  ]);
  expect([told('read'), told('execute'), told('other')]).toEqual([[], [], []]);
});
