import type { Node } from 'agent-relay-protocol';
import type { Decision } from '../domain/facts.ts';
import type { NodeFacts } from '../domain/node-lifecycle.ts';

/** Machines that have attached or were paired, with how they were last seen. */
export interface NodeStore {
  change<Answer>(workspace: string, nodeId: string, decide: (facts: NodeFacts) => Decision<Answer>): Promise<Answer>;
  get(workspace: string, nodeId: string): Promise<Node | null>;
  /** By name. */
  list(workspace: string): Promise<readonly Node[]>;
  /** All nodes of all workspaces that were online when last written. */
  online(): Promise<readonly { readonly workspace: string; readonly node: Node }[]>;
}
