import type { AgentEvent } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { eventText, filesOf, messageText, readSearch } from './search-text.ts';

test.each([
  ['fix build', ['fix', 'build']],
  ['"build error" now', ['build error', 'now']],
  ['-test fix', ['-test', 'fix']],
  ['-"in tests" fix', ['-in tests', 'fix']],
  ['"open end', ['open end']],
  ['*** - "" !', []],
  ['a:b c*', ['a b', 'c']],
  ['Fix fix -fix "FIX"', ['FIX', '-fix']],
  ['', []],
])('%s is read as %j', (text, terms) => {
  expect(readSearch(text).map(({ words, isExcluded }) => `${isExcluded ? '-' : ''}${words.join(' ')}`)).toEqual(terms);
});

const start: AgentEvent = {
  type: 'tool.started',
  turnId: 't',
  itemId: 'i',
  name: 'Bash',
  kind: 'execute',
  title: 'Run the tests',
  input: { command: 'npm test', env: [{ name: 'CI' }] },
};

test('of an event its words are searched: of what is called with its values, without their names', () => {
  expect(eventText(start)).toBe('Run the tests\nnpm test\nCI');
  expect(eventText({ type: 'text.delta', turnId: 't', itemId: 'i', text: 'again' })).toBe('');
  expect(eventText({ type: 'plan.updated', steps: [{ step: 'look', status: 'done' }] })).toBe('look');
});

test('what the title of a call tells of its input is not said again', () => {
  const send: AgentEvent = { ...start, name: 'relay_send', title: 'relay_send: owner', input: { to: 'owner', body: 'The owner is told' } };
  expect(eventText(send)).toBe('relay_send: owner\nThe owner is told');
  expect(eventText({ ...start, title: 'npm test', input: { command: 'npm test' } })).toBe('npm test');
});

test('a message is searched with its subject, and no further than so far', () => {
  expect(messageText({ subject: 'Build', body: 'is red' })).toBe('Build\nis red');
  expect(messageText({ subject: null, body: 'x'.repeat(100_000) })).toHaveLength(32_768);
});

test('a value that is deep, or has very many texts, is cut', () => {
  let deep: Record<string, unknown> = { end: 'here' };
  for (let depth = 0; depth < 20_000; depth += 1) deep = { deep };
  expect(eventText({ ...start, input: deep as never })).toBe('Run the tests\nhere');
  expect(eventText({ ...start, input: Array.from({ length: 100_000 }, () => 'many') })).toHaveLength(1_000 * 5 + 'Run the tests'.length);
});

test('a file that was moved is found under both names', () => {
  const moved: AgentEvent = { type: 'file.changed', changes: [{ path: '/a', change: 'moved', movedTo: '/b' }] };
  expect(filesOf(moved)).toEqual([
    { path: '/a', change: 'moved' },
    { path: '/b', change: 'added' },
  ]);
  expect(filesOf(start)).toEqual([]);
});
