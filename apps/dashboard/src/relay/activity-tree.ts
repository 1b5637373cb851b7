import type { ActivityBlock } from './activity-blocks.ts';

/** Blocks as they hang together: what a sub-agent did belongs to the call that started it. */
export interface ActivityTree {
  readonly roots: readonly ActivityBlock[];
  readonly childrenOf: (key: string) => readonly ActivityBlock[];
  /** The calls that a block is within, the outermost first; none for a root. */
  readonly callsAround: (key: string) => readonly string[];
}

/** What names as its call something that does not come before it stands for itself. */
export function treeOf(blocks: readonly ActivityBlock[]): ActivityTree {
  const children = new Map<string, ActivityBlock[]>();
  const parents = new Map<string, string>();
  // Most calls start no sub-agent, and are looked for by nobody.
  const named = new Set<string>();
  for (const block of blocks) if ('parentKey' in block && block.parentKey !== null) named.add(block.parentKey);
  if (named.size === 0) return { roots: blocks, childrenOf: () => [], callsAround: () => [] };
  const known = new Set<string>();
  const roots: ActivityBlock[] = [];
  for (const block of blocks) {
    const parentKey = 'parentKey' in block ? block.parentKey : null;
    if (parentKey === null || !known.has(parentKey)) roots.push(block);
    else {
      parents.set(block.key, parentKey);
      const siblings = children.get(parentKey);
      if (siblings === undefined) children.set(parentKey, [block]);
      else siblings.push(block);
    }
    if (block.kind === 'tool' && named.has(block.key)) known.add(block.key);
  }
  return { roots, childrenOf: (key) => children.get(key) ?? [], callsAround: (key) => callsAround(parents, key) };
}

function callsAround(parents: ReadonlyMap<string, string>, key: string): readonly string[] {
  const calls: string[] = [];
  for (let call = parents.get(key); call !== undefined; call = parents.get(call)) calls.unshift(call);
  return calls;
}
