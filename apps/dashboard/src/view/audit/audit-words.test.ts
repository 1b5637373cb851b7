import { routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { actWords, detailWords, subjectPage } from './audit-words.ts';

test('an act is told in words, and one that has none by its name', () => {
  expect([actWords('sessions/start'), actWords('moons/rise')]).toEqual(['started', 'moons/rise']);
  const named = ['agents/interrupt', 'tokens/create', 'nodes/pair', 'holds/refuse'];
  expect(named.filter((name) => !Object.hasOwn(routes, name) || actWords(name) === name)).toEqual([]);
});

test('what an act was about leads to its page where there is one', () => {
  const places = [
    ['sessions/start', 'Worker 1'],
    ['messages/remove', '12'],
    ['messages/send', 'tag:ops'],
    ['channels/bind', 'tg'],
    ['tokens/revoke', 'abc'],
    ['login/create', null],
  ] as const;
  expect(places.map(([action, subject]) => subjectPage({ action, subject }))).toEqual([
    '/agents/Worker%201',
    '/messages/12',
    null,
    '/channels/tg',
    null,
    null,
  ]);
  const details = { name: 'Lead', provider: 'claude', scopes: ['a', 'b'], approval: true };
  expect(detailWords({ subject: 'Lead', details })).toBe('provider claude · scopes ["a","b"] · approval true');
});
