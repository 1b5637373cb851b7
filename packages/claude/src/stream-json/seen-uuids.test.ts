import { expect, test } from 'vitest';
import { SeenUuids } from './seen-uuids.ts';

test('a uuid is new once, as long as it is among the newest', () => {
  const seen = new SeenUuids(2);
  expect(['a', 'b', 'a', 'c', 'b'].map((uuid) => seen.isNew(uuid))).toEqual([true, true, false, true, false]);
  expect(seen.isNew('a')).toBe(true);
});
