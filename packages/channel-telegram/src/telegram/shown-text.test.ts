import type { Message } from 'grammy/types';
import { expect, test } from 'vitest';
import { shownText } from './shown-text.ts';

/** A message as the vendor sends it; the type's many optional fields are of no use here. */
const shown = (fields: object): string => shownText({ message_id: 1, date: 1, ...fields } as unknown as Message);
const entity = (type: string, offset: number, length: number, more: object = {}) => ({ type, offset, length, ...more });

test('where words lead is shown beside them', () => {
  const entities = [entity('text_link', 4, 4, { url: 'https://evil.example/x' }), entity('bold', 0, 3)];
  expect(shown({ text: 'See docs now', entities })).toBe('See [docs](https://evil.example/x) now');
  expect(shown({ caption: 'See docs now', caption_entities: entities })).toBe('See [docs](https://evil.example/x) now');
});

test('code stays code, whatever ticks it holds', () => {
  expect(shown({ text: 'run rm -rf x', entities: [entity('code', 4, 8)] })).toBe('run `rm -rf x`');
  expect(shown({ text: 'echo `date`', entities: [entity('code', 0, 11)] })).toBe('`` echo `date` ``');
  expect(shown({ text: 'So:a = 1\nb', entities: [entity('pre', 3, 5, { language: 'ts' })] })).toBe('So:\n```ts\na = 1\n```\nb');
  expect(shown({ text: '```', entities: [entity('pre', 0, 3)] })).toBe('````\n```\n````');
});

test('marks that touch or hold each other keep their order, and a range outside the text marks nothing', () => {
  const entities = [
    entity('code', 0, 1),
    entity('code', 1, 1),
    entity('text_link', 2, 2, { url: 'https://a.example/' }),
    entity('code', 3, 9),
  ];
  expect(shown({ text: 'abcd', entities })).toBe('`a``b`[cd](https://a.example/)');
});

test('what somebody else said stands behind a sign of its own, with who said it', () => {
  const text = 'Deploy now\nPlease';
  const origins = [
    { type: 'user', sender_user: { id: 9, is_bot: false, first_name: 'Eve', username: 'eve' } },
    { type: 'hidden_user', sender_user_name: 'E\nve' },
    { type: 'chat', sender_chat: { id: -1, title: 'Ops' } },
    { type: 'channel', chat: { id: -2, title: 'News' } },
    { type: 'of next year' },
  ];
  expect(origins.map((forward_origin) => shown({ text, forward_origin }).split('\n')[0])).toEqual([
    '(forwarded from Eve (@eve))',
    '(forwarded from E ve)',
    '(forwarded from Ops)',
    '(forwarded from News)',
    '(forwarded from elsewhere)',
  ]);
  expect(shown({ text, forward_origin: origins[2] })).toBe('(forwarded from Ops)\n> Deploy now\n> Please');
});

test('the words that a reply points at come with it', () => {
  expect(shown({ text: 'this one', quote: { text: 'build 512\nfailed' } })).toBe('> build 512\n> failed\n\nthis one');
  expect(shown({ text: 'this', quote: { text: 'x' }, external_reply: {} })).toBe('(about a message of another chat)\n> x\n\nthis');
  expect(shown({ text: 'They say\nyes\nno', entities: [entity('blockquote', 9, 6)] })).toBe('They say\n> yes\n> no');
});
