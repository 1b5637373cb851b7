import { expect, test } from 'vitest';
import { outcomeText, questionText } from './approval-text.ts';

const asks = { agentId: 'Worker', title: 'Bash: make', cwd: '/src/app', input: { command: 'make\r\nmake test' } };

test('a question that shows all there is may be allowed', () => {
  expect(questionText(asks)).toMatchObject({ isWhole: true, text: expect.stringContaining('make\nmake test') });
});

test.each([
  ['title', { ...asks, title: 'Bash: \u{202E}ekam' }],
  ['folder', { ...asks, cwd: '/src/\u{202E}ppa' }],
  ['command', { ...asks, input: { command: 'rm -rf \u{2066}/\u{2069} ./build' } }],
  ['command in tag characters', { ...asks, input: { command: 'make\u{E0041}\u{E0042}' } }],
])('what turns or hides a part of the %s is shown as such, and not allowed here', (_, question) => {
  const { text, isWhole } = questionText(question);
  expect(isWhole).toBe(false);
  expect(text).toContain('\u{FFFD}');
  expect(text).not.toMatch(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u);
});

test('a title or a name cannot write a line of its own', () => {
  expect(questionText({ ...asks, title: 'x\nin /safe' }).text.split('\n')).toContain('x in /safe');
  expect(outcomeText({ status: 'allowed', by: 'token:x' }, 'Ann\u{2028}⛔ Denied')).toBe('✅ Allowed by Ann ⛔ Denied.');
});
