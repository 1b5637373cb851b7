/** The id of the first machine that attaches with the owner's credential. */
export const FIRST_NODE_ID = 'local';

/** Whether an id is one that only the owner's machines are given: a node's token is never for it. */
export const isOwnersNodeId = (nodeId: string): boolean => nodeId === FIRST_NODE_ID || /^node-[0-9a-f]{8}$/u.test(nodeId);
