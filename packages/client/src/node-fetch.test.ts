import { expect, test } from 'vitest';
import { fetchTo, proxiesOfFetch, proxyOnTheWay } from './node-fetch.ts';

const proxies = { HTTP_PROXY: 'http://me:secret@proxy.test:3128', NO_PROXY: 'own.test, .example.org,*.example.net, other.test:80' };

test.each([
  ['http://relay.test:4850', true],
  ['http://example.org', true],
  ['http://other.test:4850', true],
  ['http://other.test', false],
  ['https://relay.test', false],
  ['http://own.test:4850', false],
  ['http://relay.example.org', false],
  ['http://relay.example.net', false],
  ['http://127.0.0.1:4850', false],
  ['http://[::1]:4850', false],
  ['nowhere', false],
])('on the way to %s a proxy reads along: %s', (address, reads) => {
  const said = proxyOnTheWay(address, proxies);
  expect(said !== null).toBe(reads);
  if (said !== null) expect(said).not.toContain('secret');
});

test('where Node goes by no proxy nobody reads along, and its own fetch is asked', () => {
  expect(proxyOnTheWay('http://relay.test', undefined)).toBeNull();
  expect(proxyOnTheWay('http://relay.test', { NO_PROXY: '' })).toBeNull();
  expect(proxyOnTheWay('http://relay.test', { ...proxies, no_proxy: '*' })).toBeNull();
  expect(fetchTo('http://127.0.0.1:4850')).toBe(globalThis.fetch);
});

test.each([
  ['24.0.0', { NODE_USE_ENV_PROXY: '1' }, true],
  ['24.4.1', { NODE_USE_ENV_PROXY: '1' }, true],
  ['24.4.1', {}, false],
  ['24.5.0', { NODE_USE_ENV_PROXY: '1' }, false],
  ['22.12.0', { NODE_USE_ENV_PROXY: '1' }, false],
])('of Node %s in %j the fetch alone goes by proxies: %s', (version, env, goes) => {
  expect(proxiesOfFetch(version, env)).toBe(goes ? env : undefined);
});
