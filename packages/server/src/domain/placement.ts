import { type Node, nearest, RelayError } from 'agent-relay-protocol';
import { isAble, type ProviderNeeds, refuseUnable } from './provider-needs.ts';

/** A machine as placement sees it. */
export interface PlaceableNode {
  readonly node: Node;
  readonly runningSessions: number;
}

export interface PlacementRequest {
  readonly provider: string;
  /** The node asked for. */
  readonly nodeId: string | null;
  /** The node of the agent that asks: what an agent spawns runs on its own machine. */
  readonly spawnerNodeId: string | null;
  /** What it must be able to do. */
  readonly needs: ProviderNeeds;
}

/**
 * Which machine runs a new session: the one asked for, else the spawner's, else of those that offer the provider the one that runs least.
 * @throws RelayError `not_found` (no such node), `validation_failed` (several of this name), `node_unavailable` (none is connected), `provider_unavailable` with the machine's own sentence,
 * `unsupported` when the provider cannot do what is asked, `forbidden` when an agent asks for another machine than its own.
 */
export function placeSession(nodes: readonly PlaceableNode[], { provider, nodeId, spawnerNodeId, needs }: PlacementRequest): Node {
  if (spawnerNodeId !== null && nodeId !== null && nodeId !== spawnerNodeId)
    throw new RelayError('forbidden', 'An agent may start others on its own machine only');
  const named = nodeId ?? spawnerNodeId;
  const online = nodes.filter(({ node }) => node.status === 'online');
  const others = online.map(({ node }) => node);
  if (named !== null) {
    const node = namedNode(nodes, named, provider);
    return isAble(node, provider, needs) ? node : refuseUnable(node, { provider, needs, online: others });
  }
  if (online.length === 0)
    throw new RelayError('node_unavailable', 'No machine is connected that could run an agent: start relay-connect on one');
  const offering = online.filter(({ node }) => reasonAgainst(node, provider) === null);
  const [best] = offering
    .filter(({ node }) => isAble(node, provider, needs))
    .sort((one, other) => one.runningSessions - other.runningSessions || (one.node.name < other.node.name ? -1 : 1));
  if (best) return best.node;
  const [unable] = offering;
  if (unable) refuseUnable(unable.node, { provider, needs, online: others });
  const reasons = new Set(online.map(({ node }) => reasonAgainst(node, provider)));
  throw new RelayError('provider_unavailable', [...reasons].join(' '));
}

function namedNode(nodes: readonly PlaceableNode[], nodeId: string, provider: string): Node {
  const node = nodes.find((candidate) => candidate.node.nodeId === nodeId)?.node ?? onlyNamed(nodes, nodeId);
  if (!node) throw new RelayError('not_found', `There is no node ${nodeId}`);
  if (node.status !== 'online') throw new RelayError('node_unavailable', `The node ${node.name} is not connected`);
  const reason = reasonAgainst(node, provider);
  if (reason !== null) throw new RelayError('provider_unavailable', reason);
  return node;
}

/** What a machine calls itself is its own choice: a name that two have is neither's. @throws RelayError `validation_failed`. */
function onlyNamed(nodes: readonly PlaceableNode[], name: string): Node | undefined {
  const [first, ...more] = nodes.flatMap(({ node }) => (node.name === name ? node : []));
  if (first === undefined || more.length === 0) return first;
  const ids = [first, ...more].map(({ nodeId }) => nodeId).join(', ');
  const message = `Several machines are called ${name}: name one by its id, ${ids}`;
  throw new RelayError('validation_failed', `node: ${message}`, { issues: [{ path: 'node', message }] });
}

function reasonAgainst(node: Node, provider: string): string | null {
  const offered = node.providers.find(({ id }) => id === provider);
  if (!offered) return noSuchProvider(node, provider);
  return offered.available ? null : (offered.reason ?? `${provider} is not available on the node ${node.name}.`);
}

/** Those that could be started are named, and not all that a machine knows of. */
function noSuchProvider({ name, providers }: Node, provider: string): string {
  const ids = providers.map(({ id }) => id);
  const there = providers.filter(({ available }) => available).map(({ id }) => id);
  const meant = nearest(provider, ids);
  const hint = meant === null ? '.' : `: did you mean ${meant}?`;
  return `The node ${name} has no provider ${provider}${hint}${there.length === 0 ? '' : ` It has ${there.join(', ')}.`}`;
}
