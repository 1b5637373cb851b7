import { type ApprovalMode, type Node, nearest, RelayError, type SpawnerKind } from 'agent-relay-protocol';
import { isAble, type ProviderNeeds, refuseUnable } from './provider-needs.ts';

/** A machine as placement sees it. */
export interface PlaceableNode {
  readonly node: Node;
  readonly runningSessions: number;
}

export interface PlacementRequest {
  readonly provider: string;
  /** The node asked for, by id or name. */
  readonly nodeId: string | null;
  /** It has all of them. */
  readonly labels?: readonly string[] | undefined;
  /** The agent that asks, and the machine it runs on; null for a person or a program. */
  readonly spawner: { readonly nodeId: string | null } | null;
  /** The machine itself asks, for what its owner has it keep. */
  readonly isKept?: boolean;
  readonly approval: ApprovalMode;
  /** What it must be able to do. */
  readonly needs: ProviderNeeds;
}

/**
 * Which machine runs a new session: the one asked for; else, where an agent asks and names no labels, its own; else of those that can, may and have room the one that
 * runs least.
 * @throws RelayError `not_found` (no such node), `validation_failed` (several of this name), `node_unavailable` (none is connected, or has the labels),
 * `provider_unavailable` with the machine's own sentence, `unsupported` when the provider cannot do what is asked, `forbidden` when a machine's owner does
 * not allow it, `busy` when it runs all that it takes.
 */
export function placeSession(nodes: readonly PlaceableNode[], request: PlacementRequest): Node {
  const { provider, nodeId, spawner, labels, needs } = request;
  const online = nodes.filter(({ node }) => node.status === 'online');
  const others = online.map(({ node }) => node);
  const named = nodeId ?? (labels === undefined ? (spawner?.nodeId ?? null) : null);
  const rules = new OwnersRules(nodes, request);
  if (named !== null) {
    const placed = namedNode(nodes, named, provider);
    rules.assertAllowed(placed);
    return isAble(placed.node, provider, needs) ? placed.node : refuseUnable(placed.node, { provider, needs, online: others });
  }
  if (online.length === 0)
    throw new RelayError('node_unavailable', 'No machine is connected that could run an agent: start relay-connect on one');
  const labelled = online.filter(({ node }) => lacksLabel(node, labels) === undefined);
  if (labelled.length === 0)
    throw new RelayError(
      'node_unavailable',
      `No connected machine has the label${labels?.length === 1 ? '' : 's'} ${(labels ?? []).join(', ')}`,
    );
  const offering = labelled.filter(({ node }) => reasonAgainst(node, provider) === null);
  const able = offering.filter(({ node }) => isAble(node, provider, needs));
  const [best] = able.filter((each) => rules.refusal(each) === null).sort(byLoad);
  if (best) return best.node;
  const [refusing] = able;
  if (refusing) rules.assertAllowed(refusing);
  const [unable] = offering;
  if (unable) refuseUnable(unable.node, { provider, needs, online: others });
  const reasons = new Set(labelled.map(({ node }) => reasonAgainst(node, provider)));
  throw new RelayError('provider_unavailable', [...reasons].join(' '));
}

function byLoad(one: PlaceableNode, other: PlaceableNode): number {
  return one.runningSessions - other.runningSessions || (one.node.name < other.node.name ? -1 : 1);
}

const lacksLabel = ({ terms }: Node, labels: readonly string[] = []): string | undefined =>
  labels.find((label) => !terms?.labels?.includes(label));

/** What the owners of the machines say to a start. Each machine asks its own file again. */
class OwnersRules {
  readonly #request: PlacementRequest;
  readonly #own: Node | undefined;

  constructor(nodes: readonly PlaceableNode[], request: PlacementRequest) {
    this.#request = request;
    this.#own = nodes.find(({ node }) => node.nodeId === request.spawner?.nodeId)?.node;
  }

  /** @throws RelayError `forbidden`, `busy`. */
  assertAllowed(placed: PlaceableNode): void {
    const refusal = this.refusal(placed);
    if (refusal !== null) throw refusal;
  }

  refusal({ node, runningSessions }: PlaceableNode): RelayError | null {
    const { labels, needs, approval } = this.#request;
    const { modes, approvals, capacity } = node.terms ?? {};
    const missing = lacksLabel(node, labels);
    if (missing !== undefined) return noLabel(node, missing);
    const why = this.#spawning(node);
    if (why !== null) return new RelayError('forbidden', why);
    if (modes && !modes.includes(needs.mode)) return ownersNo(node, `agents in mode ${needs.mode}`, modes);
    if (approvals && !approvals.includes(approval)) return ownersNo(node, `agents with approval ${approval}`, approvals);
    if (capacity !== undefined && runningSessions >= capacity)
      return new RelayError('busy', `The machine ${node.name} runs ${capacity} agents at once, and they are there`);
    return null;
  }

  /** An agent that runs on another machine starts one only where both owners say so. */
  #spawning(node: Node): string | null {
    const { spawner, isKept = false } = this.#request;
    if (isKept) return null;
    const { spawners } = node.terms ?? {};
    const isSomebodyElses = spawner !== null && spawner.nodeId !== null && spawner.nodeId !== node.nodeId;
    if (isSomebodyElses && this.#own?.terms?.elsewhere !== true)
      return `The owner of ${this.#own?.name ?? 'its machine'} does not let agents of that machine start others elsewhere`;
    const kind: SpawnerKind = spawner === null ? 'owner' : spawner.nodeId === node.nodeId ? 'own-agents' : 'other-agents';
    if (spawners === undefined ? !isSomebodyElses : spawners.includes(kind)) return null;
    return `The owner of ${node.name} does not let ${askers[kind]} start agents there`;
  }
}

const askers: Readonly<Record<SpawnerKind, string>> = {
  owner: 'the owner of the relay',
  'own-agents': 'its own agents',
  'other-agents': 'agents that run elsewhere',
};

const noLabel = ({ name, terms }: Node, missing: string): RelayError =>
  new RelayError('node_unavailable', `The machine ${name} has no label ${missing}; it has ${terms?.labels?.join(', ') || 'none'}`);

const ownersNo = ({ name }: Node, what: string, allowed: readonly string[]): RelayError =>
  new RelayError('forbidden', `The owner of ${name} does not allow ${what} there; allowed: ${allowed.join(', ') || 'none'}`);

function namedNode(nodes: readonly PlaceableNode[], nodeId: string, provider: string): PlaceableNode {
  const placed = nodes.find((candidate) => candidate.node.nodeId === nodeId) ?? onlyNamed(nodes, nodeId);
  const node = placed?.node;
  if (!node) throw new RelayError('not_found', `There is no node ${nodeId}`);
  if (node.status !== 'online') throw new RelayError('node_unavailable', `The node ${node.name} is not connected`);
  const reason = reasonAgainst(node, provider);
  if (reason !== null) throw new RelayError('provider_unavailable', reason);
  return placed;
}

/** What a machine calls itself is its own choice: a name that two have is neither's. @throws RelayError `validation_failed`. */
function onlyNamed(nodes: readonly PlaceableNode[], name: string): PlaceableNode | undefined {
  const [first, ...more] = nodes.filter(({ node }) => node.name === name);
  if (first === undefined || more.length === 0) return first;
  const ids = [first, ...more].map(({ node }) => node.nodeId).join(', ');
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
