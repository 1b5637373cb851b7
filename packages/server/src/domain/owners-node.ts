import { FIRST_NODE_ID, isOwnersNodeId, type Node } from 'agent-relay-protocol';

/** The id of a machine that attaches with the owner's credential for the first time; `random` are eight hexadecimal digits. */
export const newOwnersNodeId = (isFirst: boolean, random: string): string => (isFirst ? FIRST_NODE_ID : `node-${random}`);

/** The owner's machine of this name. Another's, which its token names, may call itself what it likes. */
export const ownersNode = (nodes: readonly Node[], name: string): Node | undefined =>
  nodes.find((node) => node.name === name && isOwnersNodeId(node.nodeId));

/** The id of a machine that was paired, which none of the owner's has; `random` are eight hexadecimal digits. */
export const newPairedNodeId = (random: string): string => `machine-${random}`;
