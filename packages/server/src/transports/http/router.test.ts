import { RelayError, routeNames, routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { requestLatencies } from '../../relay/system/figures.ts';
import type { RouteCall } from '../route-calls.ts';
import { Router } from './router.ts';

const call = (name: (typeof routeNames)[number]): RouteCall => ({
  name,
  route: routes[name],
  figures: { socket: 0, http: {}, httpSeconds: requestLatencies() },
  authorize: () => {},
  call: () => {},
});
const router = new Router(routeNames.map(call));

const find = (method: string, path: string): unknown => {
  try {
    const { call: found, pathParameters } = router.match(method, path);
    return [found.name, { ...pathParameters }];
  } catch (error) {
    return error instanceof RelayError ? error.code : error;
  }
};

test('every route of the table is found by its method and path, with its parameters', () => {
  for (const name of routeNames) {
    const { method, path } = routes[name];
    const names = [...path.matchAll(/:(\w+)/gu)].map(([, parameter]) => parameter ?? '');
    const filled = path.replace(/:\w+/gu, 'a%2Fb%20c');
    expect(find(method, filled)).toEqual([name, Object.fromEntries(names.map((parameter) => [parameter, 'a/b c']))]);
  }
});

test('a literal segment wins', () => {
  expect(find('GET', '/agents/find')).toEqual(['agents/find', {}]);
  expect(find('POST', '/agents/find/heartbeat')).toEqual(['agents/heartbeat', { id: 'find' }]);
  expect(find('GET', '/messages/cursor')).toEqual(['messages/cursor', {}]);
});

test.each([
  ['GET', '/'],
  ['GET', ''],
  ['GET', '/agents/'],
  ['GET', '//agents'],
  ['GET', '/agents/a/b/c'],
  ['GET', '/__proto__'],
  ['GET', `/${'a/'.repeat(10_000)}`],
])('%s %s is nowhere', (method, path) => {
  expect(find(method, path)).toBe('not_found');
});

test('another method of a known path is refused by name', () => {
  expect(find('PUT', '/agents')).toBe('method_not_allowed');
  expect(find('constructor', '/agents')).toBe('method_not_allowed');
  expect(router.allowedMethods('/messages/7')).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH']);
});
