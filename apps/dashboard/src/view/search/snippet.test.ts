import { expect, test } from 'vitest';
import { readSnippet } from './snippet.ts';

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
