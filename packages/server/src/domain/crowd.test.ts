import { type Principal, watchingLimits } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { besides, crowdOf, seesCrowd } from './crowd.ts';

const stream = (by: string, since: number) => ({ by, since });

test('one is told of everybody else, once each, and of oneself where one looks a second time', () => {
  const [own, again, ci] = [stream('owner', 1), stream('owner', 5), stream('token:ci', 3)];
  expect(besides(own, crowdOf([own]))).toEqual({ watchers: [], more: 0 });
  const crowd = crowdOf([own, ci, again]);
  const others = [
    { by: 'owner', since: 5, streams: 1 },
    { by: 'token:ci', since: 3, streams: 1 },
  ];
  expect(besides(own, crowd)).toEqual({ watchers: others, more: 0 });
  expect(besides(ci, crowd)).toEqual({ watchers: [{ by: 'owner', since: 1, streams: 2 }], more: 0 });
});

test('so many are named, and the others counted', () => {
  const most = watchingLimits.watchers;
  const all = Array.from({ length: most + 3 }, (_, index) => stream(`token:t${index}`, index));
  const names = (own: number) => besides(all[own] ?? stream('', 0), crowdOf(all));
  expect([names(0).watchers.length, names(0).watchers[0]?.by, names(0).more]).toEqual([most, 'token:t1', 2]);
  expect([names(most + 2).watchers.length, names(most + 2).watchers[0]?.by, names(most + 2).more]).toEqual([most, 'token:t0', 2]);
});

test('agents, machines and whoever has a link are not told', () => {
  const workspace = 'default';
  const token = {
    type: 'token',
    workspace,
    tokenId: 't',
    name: 't',
    kind: 'scoped',
    scopes: ['*'],
    targets: null,
    channels: null,
  } as const;
  const principals = [
    { type: 'owner', workspace },
    { ...token, agentId: null },
    { ...token, agentId: 'Lead' },
    { type: 'agent', workspace, agentId: 'Lead', epoch: 1 },
    { type: 'node', workspace, nodeId: 'n' },
    { type: 'share', workspace, tokenId: 't', agentId: 'Lead', sessionId: 's' },
  ] as Principal[];
  expect(principals.map(seesCrowd)).toEqual([true, true, false, false, false, false]);
});
