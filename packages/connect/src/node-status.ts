import type { NodeProvider } from 'agent-relay-protocol';

/** What becomes of a node, for people. */
export type NodeStatus =
  | {
      readonly type: 'attached';
      readonly nodeId: string;
      /** What the relay calls this machine. */
      readonly name: string;
      readonly providers: readonly NodeProvider[];
      /** Null where the relay does not say. */
      readonly relayVersion: string | null;
      /** What runs here already. */
      readonly agents: readonly string[];
    }
  | { readonly type: 'lost' }
  | { readonly type: 'unreachable'; readonly reason: string }
  | { readonly type: 'agentStarted'; readonly agentId: string; readonly provider: string }
  | { readonly type: 'agentEnded'; readonly agentId: string; readonly reason: string };
