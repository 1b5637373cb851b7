import type { ActivityEntry, AgentEvent } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { ActivityFold } from './activity-fold.ts';
import { treeOf } from './activity-tree.ts';

const entry = (id: number, event: AgentEvent): ActivityEntry => ({ id, agentId: 'a', sessionId: 's', seq: id, at: id, late: false, event });
const call = (id: number, itemId: string, parentItemId?: string) =>
  entry(id, {
    type: 'tool.started',
    turnId: 't',
    itemId,
    name: 'Tool',
    kind: 'other',
    title: itemId,
    ...(parentItemId && { parentItemId }),
  });
const blocksOf = (entries: readonly ActivityEntry[]) => {
  const fold = new ActivityFold();
  fold.append(entries);
  return fold.list();
};
const keys = (blocks: readonly { readonly key: string }[]) => blocks.map(({ key }) => key);

test('what a sub-agent calls belongs to the call that started it, to any depth, and what it changed stands in its place', () => {
  const changed: AgentEvent = { type: 'file.changed', turnId: 't', itemId: 'edit', changes: [{ path: 'a', change: 'updated' }] };
  const tree = treeOf(
    blocksOf([
      call(1, 'agent'),
      call(2, 'edit', 'agent'),
      call(3, 'own'),
      call(4, 'deep', 'agent'),
      call(5, 'deepest', 'deep'),
      entry(6, changed),
    ]),
  );
  expect(keys(tree.roots)).toEqual(['s:item:agent', 's:item:own']);
  expect(tree.childrenOf('s:item:agent')).toMatchObject([{ key: 's:item:edit', kind: 'files' }, { key: 's:item:deep' }]);
  expect(tree.callsAround('s:item:deepest')).toEqual(['s:item:agent', 's:item:deep']);
  expect(tree.callsAround('s:item:own')).toEqual([]);
});

test('a call whose own call is not there, or not before it, is shown by itself', () => {
  const tree = treeOf(
    blocksOf([call(1, 'lost', 'cut off'), call(2, 'itself', 'itself'), call(3, 'one', 'other'), call(4, 'other', 'one')]),
  );
  expect(keys(tree.roots)).toEqual(['s:item:lost', 's:item:itself', 's:item:one']);
  expect(keys(tree.childrenOf('s:item:one'))).toEqual(['s:item:other']);
});
