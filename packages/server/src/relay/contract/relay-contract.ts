import type {
  ActivityEntry,
  ActivityWatchers,
  Dialled,
  EventFilter,
  InboxItem,
  MethodParams,
  MethodResult,
  NodeCommandName,
  NodeMethodName,
  PairingOffer,
  PairingOutcome,
  Principal,
  RequestPairing,
  RouteInput,
  RouteName,
  RouteOutput,
  Session,
  SpawnMode,
} from 'agent-relay-protocol';
import type { EventStream } from '../../events/event-stream.ts';
import type { StreamTurn } from '../../events/stream-turn.ts';
import type { RelayFigures } from './relay-figures.ts';

/** Who calls, and until when the caller waits. */
export interface CallContext {
  readonly principal: Principal;
  /** Aborts when the caller has gone: a waiting call then ends early, a write that has begun is finished. */
  readonly signal: AbortSignal;
  /** Of a stream that shares its caller's link with others. */
  readonly turn?: StreamTurn | undefined;
}

/**
 * One handler for each route of the route table. Input is parsed by the transport. Each asks first for the route's scope and who may call it
 * (`relay/access`), and who may act for whom where it decides. Throws RelayError only; anything else is a bug.
 */
export type RelayHandlers = {
  readonly [Name in RouteName]: (input: RouteInput<Name>, context: CallContext) => RouteOutput<Name> | Promise<RouteOutput<Name>>;
};

/** The handlers of every route of a noun (`HandlersOf<'pairs'>`): one that is added to the table is missed where it is not answered. */
export type HandlersOf<Noun extends string> = Pick<RelayHandlers, Extract<RouteName, `${Noun}/${string}`>>;

/** The session of a browser that a login link began: its token, and the id under which tokens are listed. */
export interface BrowserSession {
  readonly token: string;
  readonly tokenId: string;
  readonly expiresAt: number;
}

/** The one deliverer's view of an inbox; ends (with a RelayError) when a newer epoch takes over. Acknowledgements come through `inbox/ack` or `deliveries/report`. */
export interface InboxStream {
  readonly batches: AsyncIterable<InboxItem[]>;
}

/** A stored entry, or a live delta with `id` 0. */
export type LiveActivityEntry = ActivityEntry;

/** What the agent does, never empty; or who else follows it now, where that is others than before. */
export type ActivityBatch = { readonly entries: LiveActivityEntry[] } | { readonly others: ActivityWatchers };

export interface ActivityStream {
  readonly cursor: number;
  readonly batches: AsyncIterable<ActivityBatch>;
}

/** How the relay reaches a connected node. Rejects with `connection_closed` when the link ends. */
export interface NodeLink {
  /** Waits as long as the command's row says. */
  command<Name extends NodeCommandName>(name: Name, params: MethodParams<Name>): Promise<MethodResult<Name>>;
  close(code: 'stale_session' | 'unauthorized', message: string): void;
}

export type NodeHandlers = {
  readonly [Name in NodeMethodName]: (
    params: MethodParams<Name>,
    context: CallContext & { readonly link: NodeLink },
  ) => Promise<MethodResult<Name>>;
};

/** Hands mail out to agents' tools. Each asks whether the caller may act as the agent. */
export interface ToolMailDesk {
  /** One message out of the agent's own mail; null when it reaches the agent in another way, or has. */
  take(messageId: number, agentId: string, principal: Principal): Promise<InboxItem | null>;
  /** These are in the answer of a tool. */
  note(principal: Principal, agentId: string, items: readonly InboxItem[]): void;
  /** Whether the agent's runtime tells by itself what has reached it, and waiting mail comes without being asked for. */
  isHosted(principal: Principal, agentId: string): boolean;
}

/** Where machines ask to be let in, without a token. */
export interface PairingDesk {
  /** `address`: where it asks from. @throws RelayError `rate_limited` when too many wait. */
  request(asked: RequestPairing, address: string): PairingOffer;
  /** What became of it, for whoever has its secret. @throws RelayError `not_found`, `rate_limited`. */
  outcome(secret: string): PairingOutcome;
}

/** A program that dialled in to be an agent, with the terms that whoever started it asks for. */
export interface DialInRequest {
  readonly provider: string;
  readonly agentId: string;
  /** Who its token speaks for; null where it has none. */
  readonly principal: Principal | null;
  readonly code: string | null;
  readonly mode?: SpawnMode | undefined;
  readonly ask?: boolean | undefined;
  readonly cwd?: string | undefined;
  /** `relayUrl` as the program has it, and whether it runs on the relay's own machine. */
  readonly dialled: Omit<Dialled, 'relayUrl'> & { readonly relayUrl: string; readonly nearby: boolean };
}

/** Where programs that dialled in become agents. */
export interface DialInDesk {
  /** Resolves when a machine has the link. @throws RelayError: `busy` and `node_unavailable` mean that it may come again. */
  open(request: DialInRequest): Promise<Session>;
  /** Ends its session. Never rejects. */
  end(session: Session, workspace: string, reason: string): Promise<void>;
}

/** The relay as the transports see it. */
export interface Relay {
  /** Of the log: a random id made with the database. */
  readonly generation: string;
  /** Of callers without a token. */
  readonly workspace: string;
  readonly handlers: RelayHandlers;
  readonly nodeHandlers: NodeHandlers;
  /** Deltas from a node; ignored when they name a session the node does not host. */
  nodeLive(
    params: { readonly sessionId: string; readonly at: number; readonly events: readonly ActivityEntry['event'][] },
    context: CallContext,
  ): void;
  /** The link ended: the node's sessions keep their agents for a grace period. */
  nodeDetached(link: NodeLink): void;

  /**
   * Who a token speaks for; null when it is unknown, expired, revoked, or its agent has a newer epoch. A browser's session speaks through its
   * cookie only, and is no bearer.
   */
  authenticate(token: string, as?: 'bearer' | 'browser'): Promise<Principal | null>;
  /** Handlers and streams look themselves; for what a transport does beside them. @throws RelayError `unauthorized` when the caller's token has ended since it was shown. */
  assertLive(principal: Principal): void;
  /** Aborts as soon as the caller's token ends, for whatever reason; `null` for a caller whose right ends with the relay. */
  endOf(principal: Principal): AbortSignal | null;
  /** The node as whom the caller speaks on its link from now on, no longer than the token it came with. */
  asNode(principal: Principal, nodeId: string): Principal;
  readonly pairings: PairingDesk;
  readonly dialIns: DialInDesk;
  /** Exchanges a login code, once, for a session token of the owner; null when it is unknown, used or expired. */
  exchangeLoginCode(code: string): Promise<BrowserSession | null>;
  /** Ends the session of a browser that a login link began; false for every other token, which lives on. */
  endBrowserSession(token: string): Promise<boolean>;

  /** Follows the log. @throws RelayError `forbidden` when the principal may not read what the filter names. */
  openEvents(filter: EventFilter, context: CallContext): Promise<EventStream>;
  /** Becomes the deliverer of an inbox. @throws RelayError `inbox_taken`, `stale_session`, `not_found`, `forbidden`. */
  openInbox(params: MethodParams<'inbox/subscribe'>, context: CallContext): Promise<InboxStream>;
  openActivity(params: MethodParams<'activity/subscribe'>, context: CallContext): Promise<ActivityStream>;
  /** What agents' tools hand out of their mail. */
  readonly toolMail: ToolMailDesk;

  /** What the relay can be measured by. */
  figures(): Promise<RelayFigures>;

  /** Stops timers and waits, finishes the writes in hand and closes the store. Idempotent. */
  close(): Promise<void>;
}
