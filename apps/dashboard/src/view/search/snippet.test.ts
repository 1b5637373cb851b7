import { expect, test } from 'vitest';
import { readSnippet, withoutTool } from './snippet.ts';

test('of a message that an agent was handed the words are shown, and whose they are is told beside them', () => {
  const found = [
    { text: '[msg:42] from Lead on #deploy: Please ', isMatch: false },
    { text: 'deploy', isMatch: true },
    { text: ' it 🚀\n[end msg:42 peer 7f3a]', isMatch: false },
  ];
  expect(readSnippet(found)).toEqual({
    pieces: [
      { text: 'Please ', isMatch: false },
      { text: 'deploy', isMatch: true },
      { text: ' it 🚀', isMatch: false },
    ],
    handed: { messageId: 42, from: 'Lead' },
  });
});

test('other words are shown as they are', () => {
  const found = [{ text: 'see [msg:42] and more', isMatch: true }];
  expect(readSnippet(found)).toEqual({ pieces: found, handed: null });
});

test('a call’s tool is not told again before its words, unless it is what was looked for', () => {
  const found = [
    { text: 'Bash: npm ', isMatch: false },
    { text: 'test', isMatch: true },
  ];
  expect(withoutTool(found, 'Bash')).toEqual([{ text: 'npm ', isMatch: false }, found[1]]);
  expect(withoutTool(found, 'Bas')).toEqual(found);
  expect(
    withoutTool(
      [
        { text: 'Bash: ', isMatch: false },
        { text: 'test', isMatch: true },
      ],
      'Bash',
    ),
  ).toEqual([{ text: 'test', isMatch: true }]);
  const named = [
    { text: 'Bash', isMatch: true },
    { text: ': npm test', isMatch: false },
  ];
  expect(withoutTool(named, 'Bash')).toEqual(named);
});
