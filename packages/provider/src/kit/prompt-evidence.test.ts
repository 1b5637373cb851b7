import { expect, test } from 'vitest';
import { inputAccepted, UnseenPrompts } from './prompt-evidence.ts';

const seen = (messageId: number) => ({ type: 'input.accepted', messageId, state: 'seen', evidence: 'turn' });

test('the messages of a prompt are told one by one', () => {
  expect(inputAccepted([7, 8], 'delivered', 'accepted')).toEqual([
    { type: 'input.accepted', messageId: 7, state: 'delivered', evidence: 'accepted' },
    { type: 'input.accepted', messageId: 8, state: 'delivered', evidence: 'accepted' },
  ]);
});

test('what has entered is seen once, with the next word of its turn, in order', () => {
  const prompts = new UnseenPrompts('turn');
  prompts.entered([1], 'a');
  prompts.entered([2, 3], 'b');
  prompts.entered([], 'a');
  prompts.entered([4], 'a');
  expect(prompts.modelSpoke('a')).toEqual([seen(1), seen(4)]);
  expect([prompts.modelSpoke('a'), prompts.modelSpoke()]).toEqual([[], []]);
  expect(prompts.modelSpoke('b')).toEqual([seen(2), seen(3)]);
});

test('what entered a turn that ended without a word is never seen', () => {
  const prompts = new UnseenPrompts('turn');
  prompts.entered([1], 'a');
  prompts.entered([2], 'b');
  prompts.forget('a');
  expect([prompts.modelSpoke('a'), prompts.modelSpoke('b')]).toEqual([[], [seen(2)]]);
});
