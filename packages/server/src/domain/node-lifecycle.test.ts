import type { Node } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { attachNode, freeName, type NodeFacts, updateNode } from './node-lifecycle.ts';

const node: Node = { nodeId: 'machine-1', name: 'says', status: 'online', version: '1', providers: [], connectedAt: 1, lastSeenAt: 1 };
const nothing: Omit<NodeFacts, 'node' | 'names' | 'tokens'> = {
  nextId: 1,
  agents: { find: () => undefined, agents: () => [], members: () => new Set(), named: () => new Set(), isBound: () => false, version: 0 },
  records: { find: () => null, under: () => [] },
};
const facts = (over: Partial<NodeFacts> = {}): NodeFacts => ({ ...nothing, node: null, names: () => [], tokens: () => [], ...over });

test('a machine whose token was revoked on its way is not there again', () => {
  expect(() => attachNode(facts(), node, true)).toThrowError(expect.objectContaining({ code: 'unauthorized' }));
  expect(attachNode(facts(), node, false).answer).toEqual(node);
});

test('a machine keeps the name it was given, and the owner’s its own', () => {
  const given = { ...node, name: 'given' };
  expect(attachNode(facts({ node: given }), node, false).answer.name).toBe('given');
  expect(updateNode(facts({ node: given }), node, 'node.updated', 2).answer?.name).toBe('given');
  expect(attachNode(facts({ node: { ...given, nodeId: 'local' } }), { ...node, nodeId: 'local' }, false).answer.name).toBe('says');
});

test('nothing is written of a machine that was removed', () => {
  expect(updateNode(facts(), node, 'node.disconnected', 2)).toEqual({ answer: null, change: null });
});

test('a name that a machine has gets the first number that is free', () => {
  expect(freeName('laptop', [])).toBe('laptop');
  expect(freeName('laptop', ['laptop', 'laptop-2', 'laptop-4'])).toBe('laptop-3');
});

test('a name with a number is no longer than a name may be', () => {
  const longest = '😀'.repeat(128);
  expect([...freeName(longest, [longest])]).toHaveLength(128);
});
