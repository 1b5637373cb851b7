import { expect, test } from 'vitest';
import { continueConversation, hopsOf, isGuarded, type Talk } from './loop-guard.ts';

const limits = { perMinute: 3, repeats: 2 };

/** What each message of a talk broke; a message that broke something was not said. */
function talk(lines: readonly (readonly [from: string, words: string, at?: number])[], limit = limits): (string | null)[] {
  let conversation: Talk | undefined;
  return lines.map(([from, words, at = 0]) => {
    const { after, broken } = continueConversation(conversation, { from, digest: () => words }, limit, at);
    if (broken === null) conversation = after;
    return broken;
  });
}

test('one who writes without being answered is in no loop, whatever the number and the words', () => {
  expect(talk(Array.from({ length: 100 }, () => ['a', 'the disk is full'] as const))).toEqual(Array(100).fill(null));
});

test('no more exchanges than allowed are in any minute', () => {
  const lines = ['1', '2', '3', '4', '5'].map((words, turn) => [turn % 2 === 0 ? 'a' : 'b', words] as const);
  expect(talk(lines)).toEqual([null, null, null, null, 'rate']);
  const later = [59_999, 60_000].map((at, turn) => ['a', `later ${turn}`, at] as const);
  expect(talk([...lines, ...later])).toEqual([null, null, null, null, 'rate', 'rate', null]);
});

test('the same words in answer to each other are a loop; other words in between begin anew', () => {
  const off = { perMinute: 0, repeats: 2 };
  const thanks = (times: number) =>
    Array.from({ length: times }, (_, turn) => [turn % 2 === 0 ? 'a' : 'b', turn % 2 === 0 ? 'thanks' : 'welcome'] as const);
  expect(talk(thanks(7), off)).toEqual([null, null, null, null, null, 'repeats', null]);
  expect(talk([...thanks(5), ['b', 'how is it going?'], ['a', 'well'], ['b', 'welcome'], ['a', 'thanks']], off)).toEqual(
    Array(9).fill(null),
  );
});

test('limits of 0 limit nothing, and digest nothing', () => {
  const digest = () => {
    throw new Error('nobody needs it');
  };
  let conversation: Talk | undefined;
  for (let turn = 0; turn < 1_000; turn += 1) {
    const next = continueConversation(conversation, { from: String(turn % 2), digest }, { perMinute: 0, repeats: 0 }, 0);
    expect(next.broken).toBeNull();
    conversation = next.after;
  }
});

test('a group of many speakers is remembered in bounded space', () => {
  let conversation: Talk | undefined;
  for (let turn = 0; turn < 1_000; turn += 1) {
    conversation = continueConversation(conversation, { from: `a${turn}`, digest: () => 'x' }, { perMinute: 0, repeats: 5 }, 0).after;
  }
  expect(conversation?.said.size).toBe(16);
});

test('an answer of an agent is a hop; a person or a system outside begins anew', () => {
  expect(hopsOf('peer', { hops: 4 })).toBe(5);
  expect(hopsOf('claimed', { hops: 4 })).toBe(5);
  expect(hopsOf('lead', null)).toBe(0);
  expect(hopsOf('owner', { hops: 4 })).toBe(0);
  expect(hopsOf('channel', { hops: 4 })).toBe(0);
  expect((['owner', 'channel', 'integration', 'system'] as const).filter(isGuarded)).toEqual([]);
});
