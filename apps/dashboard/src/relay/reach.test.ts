import type { Agent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { addressesIn, reachOf, saysReach } from './reach.ts';

// What routing asks of an agent, and nothing else.
const agent = (id: string, more: Partial<Agent> = {}) =>
  ({
    id,
    name: id,
    kind: 'provider',
    label: null,
    tags: [],
    capabilities: [],
    channels: [],
    machine: null,
    provider: null,
    status: 'idle',
    ...more,
  }) as Agent;

const agents = [
  agent('Lead', { tags: ['core'], channels: null }),
  agent('Worker', { tags: ['core', 'ops'], label: 'api', provider: 'codex', channels: ['deploy'] }),
  agent('Tester', { capabilities: ['review'], machine: 'laptop', provider: 'claude', label: 'qa' }),
  agent('Other', { provider: 'claude', label: 'qa' }),
  agent('bridge', { kind: 'channel', channels: null }),
  agent('owner', { kind: 'user', channels: null }),
];
const ids = (address: string) => {
  const reach = reachOf(address, agents);
  return reach && 'ids' in reach ? reach.ids : reach?.type;
};

test('groups reach who belongs to them, and who follows every channel', () => {
  expect(ids('tag:core')).toEqual(['Lead', 'Worker']);
  expect(ids('cap:review')).toEqual(['Tester']);
  expect(ids('machine:laptop')).toEqual(['Tester']);
  expect(ids('#deploy')).toEqual(['Lead', 'Worker']);
  expect(ids('broadcast')).toEqual(['Lead', 'Worker', 'Tester', 'Other']);
  expect(ids('tag:nobody')).toEqual([]);
});

test('a bare word is an id, else a name or label, else the only one of a kind', () => {
  expect(ids('Lead')).toEqual(['Lead']);
  expect(ids('api')).toEqual(['Worker']);
  expect(ids('codex')).toEqual(['Worker']);
  expect(reachOf('qa', agents)).toEqual({ type: 'ambiguous', ids: ['Other', 'Tester'] });
  expect(ids('Nobody')).toBe('nobody-called');
  expect(ids('colour:blue')).toBe('no-address');
  expect(reachOf(' ', agents)).toBeNull();
});

test('many are counted, few are named', () => {
  expect(saysReach({ type: 'agents', ids: ['a', 'b', 'c', 'd', 'e'] })).toBe('Reaches 5: a, b, c and 2 more');
  expect(saysReach({ type: 'agents', ids: ['a', 'b'] })).toBe('Reaches a, b');
});

test('a field completes ids, groups and channels', () => {
  expect(addressesIn(agents.slice(0, 2))).toEqual(['Lead', 'Worker', 'broadcast', '#deploy', 'label:api', 'tag:core', 'tag:ops']);
});
