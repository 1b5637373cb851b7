import { expect, test } from 'vitest';
import { pathOfView, readViews, VIEWS_LIMIT, withView } from './saved-views.ts';

test('a narrowed page has one address, and a page that is not narrowed has none to keep', () => {
  expect(pathOfView('/tasks', '?status=ended&find=disk')).toBe('/tasks?find=disk&status=ended');
  expect(pathOfView('/tasks/12', '?find=disk')).toBe('/tasks?find=disk');
  expect(pathOfView('/agents/Lead', '?by=machine')).toBe('/agents/Lead?by=machine');
  expect([pathOfView('/tasks', ''), pathOfView('/settings', '?a=1'), pathOfView('/messages/4', '?a=1')]).toEqual([null, null, null]);
});

test('a view takes the place of one with its name or its address, and the oldest go', () => {
  const disk = { name: 'Disk', path: '/tasks?find=disk' };
  const ops = { name: 'Ops', path: '/messages?channel=ops' };
  expect(withView([disk, ops], { ...disk, name: 'Disks' })).toEqual([ops, { ...disk, name: 'Disks' }]);
  expect(withView([disk, ops], { ...ops, name: 'Disk' })).toEqual([{ ...ops, name: 'Disk' }]);
  const many = Array.from({ length: VIEWS_LIMIT }, (_, index) => ({ name: `${index}`, path: `/tasks?find=${index}` }));
  expect(withView(many, disk).map(({ name }) => name)).toEqual([...many.slice(1).map(({ name }) => name), 'Disk']);
});

test('what a browser keeps that is no view leads nowhere', () => {
  const kept = [
    { name: 'Ops', path: '/messages?channel=ops' },
    { name: 'Away', path: 'https://elsewhere.example/messages?channel=ops' },
    { name: 'Away', path: '//elsewhere.example/messages?channel=ops' },
    { name: 'Script', path: 'javascript:alert(1)' },
    { name: 3, path: '/messages?channel=ops' },
    null,
  ];
  expect(readViews(JSON.stringify(kept))).toEqual([kept[0]]);
  expect([readViews(null), readViews('{'), readViews('{}')]).toEqual([[], [], []]);
});
