import type { OutgoingWay } from 'agent-relay-client/node';
import type { HostOptions } from 'agent-relay-host';
import type { RelayError } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import type { Log } from 'agent-relay-wire';
import type { NodeStatus } from './node-status.ts';
import type { Owner } from './owner/owner.ts';

export interface NodeOptions {
  /** The relay's http(s) address. */
  readonly url: URL;
  /** A socket in the file system that the relay listens on: this node goes through it, for its agents' tools too, and not to the address. */
  readonly socketPath?: string | undefined;
  /** A file whose owner must own that socket, at each connection. Default: this process's user must. */
  readonly socketOwnerFile?: string | undefined;
  /** How connections to that address go out. Default: straight, and trusting the authorities of Node. */
  readonly outgoing?: OutgoingWay | undefined;
  /** Asked at each connection, so that a renewed token is found. */
  readonly readToken: () => Promise<string>;
  /** How people know this machine. */
  readonly name: string;
  readonly stateDir: string;
  readonly allowedFolders: readonly string[];
  readonly providers: readonly Provider[];
  /** What the owner of this machine allows, asked at each start and now and then. Default: anything. */
  readonly owner?: Owner;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further variables that agents get beside what every program needs and what their provider names; `X_*` is every name that begins so. */
  readonly allowedEnvironment?: readonly string[];
  readonly clock: { now(): number };
  /** Told what a person would want to know, as it happens. */
  readonly onStatus?: (status: NodeStatus) => void;
  /** How long the agents live on without their relay. Default ten minutes. */
  readonly graceMs?: number;
  /** Default 10 000. */
  readonly heartbeatMs?: number;
  /** `agent-relay.yaml`: what this machine does when something happens to its agents. Read again when it changes. */
  readonly hooksFile?: string;
  readonly hostLimits?: Pick<
    HostOptions,
    'progress' | 'startLimitMs' | 'approvalTimeoutMs' | 'activityLimitBytes' | 'sandbox' | 'sandboxRead'
  >;
}

/** Why a node ended: it was asked to, the relay stayed away too long, or the relay will never take it. */
export type NodeEnd =
  | { readonly type: 'stopped' | 'abandoned' }
  | { readonly type: 'refused'; readonly error: RelayError; readonly wasAttached: boolean };

export interface RunningNode {
  /** Resolves once, when the agents are gone and the folder is free. */
  readonly ended: Promise<NodeEnd>;
  /** Releases the agents with their whole trees, tells the relay, and ends. Idempotent. */
  stop(reason: string): Promise<void>;
}
