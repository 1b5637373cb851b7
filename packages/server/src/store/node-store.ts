import type { Node } from 'agent-relay-protocol';

/** Machines that have attached, with how they were last seen. */
export interface NodeStore {
  /** Writes a node; with `tell`, an event says what became of it. */
  put(
    workspace: string,
    node: Node,
    tell: { readonly type: 'node.connected' | 'node.disconnected' | 'node.updated'; readonly at: number } | null,
  ): Promise<void>;
  get(workspace: string, nodeId: string): Promise<Node | null>;
  /** By name. */
  list(workspace: string): Promise<readonly Node[]>;
  /** All nodes of all workspaces that were online when last written. */
  online(): Promise<readonly { readonly workspace: string; readonly node: Node }[]>;
}
