import { expect, test } from 'vitest';
import { conversationIdOf, placeOf } from './place.ts';

test('a place and its conversation id are one and the same', () => {
  for (const place of [
    { chatId: 7, topicId: null },
    { chatId: -1001234567890, topicId: 12 },
  ]) {
    expect(placeOf(conversationIdOf(place))).toEqual(place);
  }
});

test('what names no place is none', () => {
  for (const text of ['', '*', '7/', '7/x', 'seven', '7/1/2', '0', ' 7', '99999999999999999']) expect(placeOf(text)).toBeNull();
});
