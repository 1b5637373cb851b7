import { isOwnersNodeId, type Node, RelayError } from 'agent-relay-protocol';
import type { NewEvent, TokenRecord } from './change.ts';
import type { Decision, Facts } from './facts.ts';

/** What is known of a machine inside a write. */
export interface NodeFacts extends Facts {
  readonly node: Node | null;
  /** Of the workspace. */
  names(): readonly string[];
  /** The node tokens that name it. */
  tokens(): readonly TokenRecord[];
}

type ToldAlone = 'node.connected' | 'node.disconnected' | 'node.updated';

const keep = (node: Node, type: ToldAlone, at: number): Decision<Node> => ({
  answer: node,
  change: { at, nodes: [{ nodeId: node.nodeId, node }], events: [{ type, at, node }] },
});

/**
 * A machine attached. One that came with a token of its own keeps the name it was given, and is not there without that token.
 * @throws RelayError `unauthorized`.
 */
export function attachNode({ node: before, tokens }: NodeFacts, node: Node, needsToken: boolean): Decision<Node> {
  if (needsToken && tokens().length === 0) throw new RelayError('unauthorized', 'The token of this machine was revoked');
  const name = isOwnersNodeId(node.nodeId) ? node.name : (before?.name ?? node.name);
  return keep({ ...node, name }, 'node.connected', node.lastSeenAt);
}

/** What is new of a machine that is still there; nothing of one that was removed. */
export function updateNode({ node: before }: NodeFacts, node: Node, type: ToldAlone, at: number): Decision<Node | null> {
  return before ? keep({ ...node, name: before.name }, type, at) : { answer: null, change: null };
}

export interface NewMachine {
  readonly nodeId: string;
  /** What it would be called were nobody called so. */
  readonly name: string;
  readonly version: string;
  readonly at: number;
  readonly by: string;
  /** What is told of its token. */
  readonly tell: (token: TokenRecord) => NewEvent;
}

/** A machine that somebody accepted: it is there from now on, and comes when it has fetched its token. */
export function pairNode({ names }: NodeFacts, token: TokenRecord, machine: NewMachine): Decision<Node> {
  const { nodeId, version, at, by, tell } = machine;
  const name = freeName(machine.name, names());
  const node: Node = { nodeId, name, version, providers: [], status: 'offline', connectedAt: null, lastSeenAt: at };
  const named = { ...token, name };
  return {
    answer: node,
    change: { at, nodes: [{ nodeId, node }], tokens: [named], events: [tell(named), { type: 'node.paired', at, node, by }] },
  };
}

interface Deed {
  readonly at: number;
  readonly by: string;
}

/** @throws RelayError `not_found`, `unsupported` for the owner's own machines, whose name tells which they are, `name_taken`. */
export function renameNode(nodeId: string, { node, names }: NodeFacts, name: string, { at, by }: Deed): Decision<Node> {
  if (!node) throw unknownNode(nodeId);
  if (isOwnersNodeId(nodeId))
    throw new RelayError(
      'unsupported',
      `${node.name} comes with the owner's credential and is known by its own name: relay-connect --name`,
    );
  if (node.name === name) return { answer: node, change: null };
  if (names().includes(name)) throw new RelayError('name_taken', `Another machine is called ${name}`);
  const renamed = { ...node, name };
  return { answer: renamed, change: { at, nodes: [{ nodeId, node: renamed }], events: [{ type: 'node.renamed', at, node: renamed, by }] } };
}

/** @throws RelayError `not_found`, `busy` for a machine that is connected with the owner's credential, which is not taken from it. */
export function removeNode(
  nodeId: string,
  { node, tokens }: NodeFacts,
  { at, by, isOnline, tell }: Deed & { readonly isOnline: boolean; readonly tell: (token: TokenRecord) => NewEvent },
): Decision<Node> {
  if (!node) throw unknownNode(nodeId);
  if (isOnline && isOwnersNodeId(nodeId))
    throw new RelayError('busy', `${node.name} is connected with the owner's credential: stop its relay-connect first`);
  const last: Node = { ...node, status: 'offline', connectedAt: null };
  return {
    answer: last,
    change: { at, nodes: [{ nodeId, node: null }], events: [...tokens().map(tell), { type: 'node.removed', at, node: last, by }] },
  };
}

const unknownNode = (nodeId: string): RelayError => new RelayError('not_found', `There is no machine ${nodeId}`);

/** Longest name of a machine, in characters. */
const MAX_NAME = 128;

/** This name, or the first with a number behind it that nobody has. */
export function freeName(wanted: string, names: readonly string[]): string {
  const taken = new Set(names);
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? '' : `-${number}`;
    const name = `${[...wanted]
      .slice(0, MAX_NAME - suffix.length)
      .join('')
      .trimEnd()}${suffix}`;
    if (!taken.has(name)) return name;
  }
}
