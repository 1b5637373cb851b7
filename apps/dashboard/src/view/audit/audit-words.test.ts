import { routeNames, routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { actWords, detailWords, subjectPage } from './audit-words.ts';

test('an act is told in words, and one that has none by its name', () => {
  expect([actWords('sessions/start'), actWords('moons/rise')]).toEqual(['started', 'moons/rise']);
  // What holding one of these lets somebody do is in the audit, whatever the route.
  const power = new Set<string | null>(['*', 'sessions:write', 'approvals:write', 'holds:write', 'nodes:write']);
  const acts = routeNames.filter((name) => routes[name].method !== 'GET' && power.has(routes[name].scope));
  expect(acts).toContain('shares/create');
  expect(acts.filter((name) => actWords(name) === name)).toEqual([]);
});

test('what an act was about leads to its page where there is one', () => {
  const places = [
    ['sessions/start', 'Worker 1', {}],
    ['messages/remove', '12', {}],
    ['messages/send', 'tag:ops', {}],
    ['channels/bind', 'tg', {}],
    ['tokens/revoke', 'abc', {}],
    ['login/create', null, {}],
    ['shares/create', 'Worker', { agent: 'Worker', session: 's' }],
    ['rules/create', 'tests of reviewers', { tag: 'reviewers', name: 'tests of reviewers' }],
  ] as const;
  expect(places.map(([action, subject, details]) => subjectPage({ action, subject, details }))).toEqual([
    '/agents/Worker%201',
    '/messages/12',
    null,
    '/channels/tg',
    null,
    null,
    '/agents/Worker',
    null,
  ]);
  const details = { name: 'Lead', provider: 'claude', scopes: ['a', 'b'], approval: true };
  expect(detailWords({ subject: 'Lead', details })).toBe('provider claude · scopes a, b · approval true');
});
