import { expect, test } from 'vitest';
import { talkOf } from './talk.ts';

const said = (from: string, to: string, createdAt: number) => ({ from, to, createdAt });
const messages = [said('Lead', 'id:Worker', 1), said('Worker', 'id:Lead', 2), said('Lead', 'id:Worker', 3), said('Lead', 'tag:ops', 4)];

test('who talks to whom is counted in each direction, groups as what they are', () => {
  expect(talkOf(messages, 9)).toEqual({
    talkers: [
      { id: 'Lead', isGroup: false, count: 4 },
      { id: 'tag:ops', isGroup: true, count: 1 },
      { id: 'Worker', isGroup: false, count: 3 },
    ],
    lines: [
      { from: 'Lead', to: 'Worker', count: 2, lastAt: 3 },
      { from: 'Lead', to: 'tag:ops', count: 1, lastAt: 4 },
      { from: 'Worker', to: 'Lead', count: 1, lastAt: 2 },
    ],
    omitted: 0,
  });
});

test('up to a time there is what had been said by then, and of many the busiest are shown', () => {
  expect(talkOf(messages, 1).lines).toEqual([{ from: 'Lead', to: 'Worker', count: 1, lastAt: 1 }]);
  expect(talkOf(messages, 0)).toEqual({ talkers: [], lines: [], omitted: 0 });
  const narrow = talkOf(messages, 9, 2);
  expect([narrow.talkers.map(({ id }) => id), narrow.omitted, narrow.lines.length]).toEqual([['Lead', 'Worker'], 1, 2]);
});
