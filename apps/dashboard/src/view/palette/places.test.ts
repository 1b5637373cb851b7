import { expect, test } from 'vitest';
import { placesFor } from './places.ts';

const agents = [
  { id: 'Lead', label: null },
  { id: 'Worker 1', label: 'the api' },
];
const words = (text: string) => placesFor(text, agents).map(({ word }) => word);

test('what begins with the words comes first, then what has them', () => {
  expect(words('le')).toEqual(['Lead', 'Standing rules', 'Fleet', 'Reserved files', 'Search for “le”', 'Tasks that say “le”']);
  expect(words('api')).toEqual(['Worker 1', 'Search for “api”', 'Tasks that say “api”']);
  expect(words('')[0]).toBe('Overview');
});

test('saved views come first, and are found by their names', () => {
  const views = [{ name: 'Blocked work', path: '/tasks?status=blocked' }];
  const entry = { key: 'view//tasks?status=blocked', word: 'Blocked work', hint: 'saved view', path: '/tasks?status=blocked' };
  expect(placesFor('', agents, views)[0]).toEqual(entry);
  expect(placesFor('work', agents, views).slice(0, 2)).toMatchObject([{ word: 'Worker 1' }, entry]);
});

test('a number leads to its message and its task, and every path is one of the page', () => {
  expect(words('42')).toEqual(['Message 42', 'Task 42', 'Search for “42”', 'Tasks that say “42”']);
  expect(placesFor('worker', agents)[0]?.path).toBe('/agents/Worker%201');
  expect(placesFor('a&b', []).at(-1)?.path).toBe('/tasks?status=all&find=a%26b');
});
