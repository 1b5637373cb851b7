import { RelayError, type RouteInput, type RouteOutput } from 'agent-relay-protocol';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { AttachedNode, NodeRegistry } from '../nodes/node-registry.ts';

type Listed = RouteOutput<'hooks/describe'>;

/** What machines hold in their own configuration: the relay names a hook that is to be tried, and brings none. */
export function machineHooks(registry: Pick<NodeRegistry, 'all'>): Pick<RelayHandlers, 'hooks/describe' | 'hooks/test'> {
  const nodesOf = (workspace: string) => registry.all().filter((attached) => attached.workspace === workspace);
  return {
    'hooks/describe': async (_input, { principal }) => {
      const lists = await Promise.all(nodesOf(principal.workspace).map(listOn));
      return { hooks: lists.flatMap(({ hooks }) => hooks), sources: lists.flatMap(({ sources }) => sources) };
    },
    'hooks/test': async (input, { principal }) => {
      const { link } = await nodeFor(input, nodesOf(principal.workspace));
      const { name, fields = {} } = input;
      return link.command('hooks/test', { name, fields });
    },
  };
}

/** A machine of an earlier version, or one that goes meanwhile, says nothing. */
async function listOn({ node: { nodeId, name }, link }: AttachedNode): Promise<Listed> {
  try {
    const { hooks, ...state } = await link.command('hooks/describe', {});
    return { hooks: hooks.map((hook) => ({ nodeId, ...hook })), sources: [{ nodeId, name, ...state }] };
  } catch (error) {
    if (error instanceof RelayError) return { hooks: [], sources: [] };
    throw error;
  }
}

/** @throws RelayError `not_found` when no machine has it, `ambiguous_address` when several do and none is named. */
async function nodeFor({ name, node }: RouteInput<'hooks/test'>, attached: readonly AttachedNode[]): Promise<AttachedNode> {
  const asked = node === undefined ? attached : attached.filter((each) => each.node.nodeId === node || each.node.name === node);
  if (node !== undefined && asked.length === 0) throw new RelayError('not_found', `No machine called ${node} is connected`);
  const has = await Promise.all(asked.map(async (each) => (await listOn(each)).hooks.some((hook) => hook.name === name)));
  const [found, another] = asked.filter((_, index) => has[index]);
  if (!found)
    throw new RelayError('not_found', `Nothing has a hook called ${name}: agent-relay hooks lists them, with what is wrong in their files`);
  if (another)
    throw new RelayError('validation_failed', `node: more than one machine has a hook called ${name}: say which`, {
      issues: [{ path: 'node', message: 'is missing' }],
    });
  return found;
}
