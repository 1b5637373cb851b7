import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { Snippets } from './snippets.ts';

test('a text that there is no room for is refused as that, and the next one is looked at', () => {
  const connection = new Database(':memory:');
  onTestFinished(() => void connection.close());
  const snippets = new Snippets(connection);
  connection.pragma('temp.max_page_count = 20');
  const words = Array.from({ length: 100_000 }, (_, index) => `word${index}`).join(' ');
  expect(() => snippets.matches(words, 'word1')).toThrow(expect.objectContaining({ code: 'SQLITE_FULL' }));
  expect(connection.inTransaction).toBe(false);
  expect(snippets.matches('a text', 'text')).toBe(true);
});
