import { stripVTControlCharacters } from 'node:util';
import type { ActivityEntry } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { sharedEntry } from './shared-log.ts';

const token = 'ci-token.of_16==';

function shown(text: string, lengths: readonly number[] = [token.length]): { readonly text: unknown; readonly asked: number } {
  let asked = 0;
  const isOne = (word: string) => {
    asked += 1;
    return word === token;
  };
  // The parts of an entry that are looked at.
  const entry = { id: 1, event: { type: 'text', text } } as unknown as ActivityEntry;
  const { event } =
    sharedEntry(entry, { texts: [], words: { lengths: new Set(lengths), isOne }, withoutColours: stripVTControlCharacters }) ?? {};
  return { text: Object(event).text, asked };
}

test.each([`TOKEN=${token} make`, `https://x.example/?t=${token}&u=1`, `["${token}"]`])(
  'a token known by its hash is hidden in %s',
  (text) => {
    expect(shown(text).text).toBe(text.replace(token, '[a token, hidden]'));
  },
);

test.each([
  ['grep', `KEY=\u001b[01;31m\u001b[Kghp_\u001b[m\u001b[K${'a1'.repeat(18)}`, 'KEY=[a secret, hidden]'],
  ['jq', '\u001b[34;1m"token"\u001b[0m\u001b[1;39m:\u001b[0m \u001b[0;32m"abcd1234efgh"\u001b[0m', '"token": "[a secret, hidden]"'],
  ['this', `\u001b[32mci-token\u001b[0m.of_16==`, '[a token, hidden]'],
  ['nothing', '\u001b[32mgreen\u001b[0m', '\u001b[32mgreen\u001b[0m'],
])('the colours of %s hide no secret', (_what, text, expected) => {
  expect(shown(text).text).toBe(expected);
});

test.each([
  ['ab.', 87_000, 0],
  ['aaaaaaaa.', 29_000, 0],
  // Each begins a word of that length.
  ['a23456.', 37_000, 37_000],
])('of %s, so often, no more is asked than there are words of that length', (piece, times, most) => {
  expect(shown(piece.repeat(times), [token.length, 20]).asked).toBeLessThanOrEqual(most);
});

test('where no such token is, nothing is asked', () => {
  expect(shown(`a ${token}`, [])).toEqual({ text: `a ${token}`, asked: 0 });
});
