import type { Clock } from '../clock.ts';
import type { GuardLimits } from '../domain/loop-guard.ts';
import type { EventFeed } from '../events/event-feed.ts';
import type { Logger } from '../logger.ts';
import type { Store } from '../store/store.ts';
import type { AgentRegistry } from './agents.ts';
import type { Inboxes } from './inboxes.ts';
import type { LoopGuard } from './loop-guard.ts';
import type { Relay, RelayHandlers } from './relay-contract.ts';
import type { Tokens } from './tokens.ts';

/** The relay's times, all in milliseconds. */
export interface RelaySettings {
  /** An agent that has not been heard of for this long is offline. */
  readonly staleTtlMs: number;
  /** An agent that has been offline for this long is removed; its epoch is remembered. */
  readonly offlinePruneMs: number;
  readonly reapIntervalMs: number;
  /** What is older is pruned; null keeps everything. */
  readonly retentionMs: number | null;
  /** A claim's lease when the claimant names none. */
  readonly leaseMs: number;
  /** How long what was handed out is waited for before its receipt is written: a confirmation that comes first saves it. */
  readonly dispatchedDelayMs: number;
  /** Events that one integration may report in a minute. */
  readonly reportsPerMinute: number;
  /** An agent online whose mail nobody fetched for this long is stalled. */
  readonly stalledAfterMs: number;
  readonly guard: GuardLimits;
}

export const defaultSettings: RelaySettings = {
  staleTtlMs: 120_000,
  offlinePruneMs: 86_400_000,
  reapIntervalMs: 60_000,
  retentionMs: 30 * 86_400_000,
  leaseMs: 600_000,
  dispatchedDelayMs: 50,
  stalledAfterMs: 120_000,
  reportsPerMinute: 120,
  guard: { hops: 100, pairPerMinute: 120, threadPerMinute: 240, repeats: 20, tokensPerHour: 0 },
};

/** What the parts of a relay are made of; a part takes the fields it needs. */
export interface RelayCore {
  readonly store: Store;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: RelaySettings;
  readonly tokens: Tokens;
  readonly agents: AgentRegistry;
  readonly inboxes: Inboxes;
  readonly guard: LoopGuard;
}

/** The routes that concern running sessions, which another part answers than the core. */
export type SessionRouteName =
  | 'sessions/start'
  | 'sessions/list'
  | 'sessions/get'
  | 'nodes/list'
  | 'approvals/list'
  | 'approvals/resolve'
  | 'agents/interrupt'
  | 'agents/release'
  | 'agents/activity';

/** Running agents on machines: made by `createSessions(core)`. */
export interface SessionsPart extends Pick<Relay, 'nodeHandlers' | 'nodeLive' | 'nodeDetached' | 'openActivity'> {
  readonly handlers: Pick<RelayHandlers, SessionRouteName>;
  /** What `system/stats` says about sessions and nodes of a workspace. */
  counts(workspace: string): Promise<{ readonly runningSessions: number; readonly nodes: number; readonly onlineNodes: number }>;
  /** Called by the reaper, after the agents have been judged. */
  sweep(now: number): Promise<void>;
  close(): Promise<void>;
}
