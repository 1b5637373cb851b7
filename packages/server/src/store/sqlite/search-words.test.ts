import { expect, test } from 'vitest';
import { readSearch } from '../../domain/search-text.ts';
import type { SearchQuery } from '../search-store.ts';
import { exactOf, expressionOf } from './search-words.ts';

test('however much is asked for, the index is asked for eight words, the longest, each once; the others are looked for in each text', () => {
  const phrases = Array.from({ length: 16 }, (_, index) => `"the of Migration ${'x'.repeat(index + 1)} migration"`);
  const terms = readSearch([...phrases, 'of', '-build'].join(' '));
  const query = { workspace: 'default', terms, file: 'a/b/a/c/d/e/f/g/h/i/j' } as unknown as SearchQuery; // what else narrows is not said
  const expression = expressionOf({ ...query, terms, untilAt: 0 }, false);
  const asked = (column: string) => [...expression.matchAll(new RegExp(`${column} : "(\\w+)"`, 'gu'))].map(([, word]) => word);
  expect(asked('text')).toEqual([16, 15, 14, 13, 12, 11, 10].map((length) => 'x'.repeat(length)).concat('migration'));
  expect(asked('files')).toHaveLength(8);
  const { included, excluded, files } = exactOf(query);
  expect(included?.split(' AND ')).toEqual(terms.slice(0, 17).map(({ words }) => `"${words.join(' ')}"`));
  expect({ excluded, files }).toEqual({ excluded: null, files: '"a b a c d e f g h i j"' });
});
