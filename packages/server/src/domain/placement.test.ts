import type { Node } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { placeSession } from './placement.ts';

const offers = (id: string, available = true) => ({ id, available, version: null, reason: available ? null : `Install ${id} first.` });
const place = (nodeId: string, over: Partial<Node> = {}, runningSessions = 0) => ({
  node: {
    nodeId,
    name: nodeId,
    status: 'online',
    version: '1',
    providers: [offers('claude')],
    connectedAt: 0,
    lastSeenAt: 0,
    ...over,
  } satisfies Node,
  runningSessions,
});
const request = { provider: 'claude', nodeId: null, spawnerNodeId: null };

it('the machine that runs least is chosen, then the first by name', () => {
  expect(placeSession([place('c', {}, 2), place('b', {}, 1), place('a', {}, 1)], request).nodeId).toBe('a');
});

it('machines that are away or lack the provider are passed over', () => {
  const nodes = [place('a', { status: 'offline' }), place('b', { providers: [offers('codex')] }), place('c', {}, 9)];
  expect(placeSession(nodes, request).nodeId).toBe('c');
});

it('what an agent spawns runs on its own machine', () => {
  expect(placeSession([place('a'), place('b', {}, 5)], { ...request, spawnerNodeId: 'b' }).nodeId).toBe('b');
  expect(() => placeSession([place('a'), place('b')], { ...request, nodeId: 'a', spawnerNodeId: 'b' })).toThrow(
    expect.objectContaining({ code: 'forbidden' }),
  );
});

it('a machine can be named by id or by name', () => {
  expect(placeSession([place('n1', { name: 'laptop' })], { ...request, nodeId: 'laptop' }).nodeId).toBe('n1');
});

it.each([
  ['no machine is connected', [], request, 'node_unavailable'],
  ['the machine asked for is not known', [place('a')], { ...request, nodeId: 'x' }, 'not_found'],
  [
    'several machines have the name',
    [place('a', { name: 'x' }), place('b', { name: 'x' })],
    { ...request, nodeId: 'x' },
    'validation_failed',
  ],
  ['the machine asked for is away', [place('a', { status: 'offline' })], { ...request, nodeId: 'a' }, 'node_unavailable'],
  ['nobody has the provider', [place('a', { providers: [] })], request, 'provider_unavailable'],
])('when %s, the code says so', (_title, nodes, asked, code) => {
  expect(() => placeSession(nodes, asked)).toThrow(expect.objectContaining({ code }));
});

it('a provider that is not installed is refused in the machine’s own sentence', () => {
  const nodes = [place('a', { providers: [offers('claude', false)] })];
  expect(() => placeSession(nodes, request)).toThrow('Install claude first.');
  expect(() => placeSession(nodes, { ...request, nodeId: 'a' })).toThrow('Install claude first.');
});
