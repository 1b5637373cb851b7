import type { Node } from 'agent-relay-protocol';
import { expect } from 'vitest';
import type { Store } from './store.ts';
import { at, type InFolder, putToken, someToken, typesOf } from './store-contract-parts.ts';

/** The part of the store contract about machines. */
export function nodeStoreContract(inFolder: InFolder): void {
  inFolder('a machine, its token and what is told of them are one write, and each write sees the one before', async (store, reopen) => {
    const seen: unknown[] = [];
    const put = (id: string, name: string) =>
      store.nodes.change('default', id, ({ node, names, tokens: own }) => {
        seen.push([node?.name ?? null, names().toSorted(), own().map(({ tokenId }) => tokenId)]);
        const tokens = node ? [] : [someToken(`of ${id}`, { type: 'node', nodeId: id, name })];
        return {
          answer: name,
          change: {
            at,
            nodes: [{ nodeId: id, node: machine(id, { name }) }],
            tokens,
            events: [{ type: 'node.updated', at, node: machine(id) }],
          },
        };
      });
    await Promise.all([put('n1', 'b'), put('n2', 'a'), put('n1', 'c')]);
    expect(seen).toEqual([
      [null, [], []],
      [null, ['b'], []],
      ['b', ['a', 'b'], ['of n1']],
    ]);
    const refused = store.nodes.change('default', 'n1', () => {
      throw new TypeError('a bug');
    });
    await expect(refused).rejects.toThrow('a bug');
    expect(await store.nodes.change('other', 'n1', ({ node }) => ({ answer: node, change: null }))).toBe(null);
    for (const each of [store, await reopen()]) {
      expect((await each.nodes.list('default')).map(({ nodeId, name }) => [nodeId, name])).toEqual([
        ['n2', 'a'],
        ['n1', 'c'],
      ]);
      expect(await each.nodes.get('default', 'n1')).toEqual(machine('n1', { name: 'c' }));
      expect(await each.nodes.get('other', 'n1')).toBe(null);
      expect(await typesOf(each, 0)).toEqual(['node.updated', 'node.updated', 'node.updated']);
    }
  });

  inFolder("a machine's tokens are called what it is called, and go with it; those of its sessions do not", async (store, reopen) => {
    const own = someToken('own', { type: 'node', nodeId: 'n', name: 'old' });
    await store.nodes.change('default', 'n', () => ({
      answer: null,
      change: { at, nodes: [{ nodeId: 'n', node: machine('n', { name: 'old' }) }], tokens: [own] },
    }));
    await putToken(store, someToken('other', { type: 'node', nodeId: 'm', name: 'old' }));
    await putToken(store, someToken('session', { type: 'session', nodeId: 'n', agentId: 'a', epoch: 1 }));
    await store.nodes.change('default', 'n', () => ({
      answer: null,
      change: { at, nodes: [{ nodeId: 'n', node: machine('n', { name: 'new' }) }] },
    }));
    const names = async (each: Store) =>
      Object.fromEntries((await each.tokens.list('default')).map(({ tokenId, name }) => [tokenId, name]));
    for (const each of [store, await reopen()]) expect(await names(each)).toEqual({ own: 'new', other: 'old', session: null });
    await store.nodes.change('default', 'n', () => ({ answer: null, change: { at, nodes: [{ nodeId: 'n', node: null }] } }));
    for (const each of [store, await reopen()]) {
      expect(await names(each)).toEqual({ other: 'old', session: null });
      expect(await each.nodes.list('default')).toEqual([]);
    }
  });

  inFolder('machines that were online when last written are found, of all workspaces', async (store, reopen) => {
    const put = (workspace: string, id: string, status: Node['status']) =>
      store.nodes.change(workspace, id, () => ({ answer: null, change: { at, nodes: [{ nodeId: id, node: machine(id, { status }) }] } }));
    await put('default', 'n1', 'online');
    await put('other', 'n2', 'online');
    await put('default', 'n3', 'offline');
    await put('default', 'n1', 'offline');
    const found = (await (await reopen()).nodes.online()).map(({ workspace, node }) => [workspace, node.nodeId]);
    expect(found).toEqual([['other', 'n2']]);
  });
}

const machine = (nodeId: string, over: Partial<Node> = {}): Node => ({
  nodeId,
  name: nodeId,
  version: '1.0.0',
  providers: [],
  status: 'offline',
  connectedAt: null,
  lastSeenAt: at,
  ...over,
});
