import type { Clock } from '../clock.ts';
import type { EventFeed } from '../events/event-feed.ts';
import type { Logger } from '../logger.ts';
import type { Store } from '../store/store.ts';
import type { AgentRegistry } from './agents/agents.ts';
import type { HandlersOf, PairingDesk, Relay, RelayHandlers } from './contract/relay-contract.ts';
import type { RelaySettings } from './contract/relay-settings.ts';
import type { LoopGuard } from './guard/loop-guard.ts';
import type { Inboxes } from './mail/inboxes.ts';
import type { ToolMail } from './mail/tool-mail.ts';
import type { Tokens } from './tokens/tokens.ts';

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
  readonly toolMail: ToolMail;
  readonly guard: LoopGuard;
}

/** Running agents on machines: made by `createSessions(core)`. */
export interface SessionsPart extends Pick<Relay, 'nodeHandlers' | 'nodeLive' | 'nodeDetached' | 'openActivity' | 'dialIns'> {
  readonly handlers: HandlersOf<'approvals' | 'nodes' | 'reservations' | 'rules' | 'sessions'> &
    Pick<RelayHandlers, 'agents/activity' | 'agents/interrupt' | 'agents/release' | 'hooks/describe' | 'hooks/test'>;
  readonly pairings: PairingDesk & { forget(nodeId: string): void };
  /** What `system/stats` says about sessions and nodes of a workspace. */
  counts(workspace: string): Promise<{ readonly runningSessions: number; readonly nodes: number; readonly onlineNodes: number }>;
  /** Takes up what the relay before has left. */
  start(): void;
  /** Called by the reaper, after the agents have been judged. */
  sweep(now: number): Promise<void>;
  /** Resolves when what the sweep began has ended, and no machine is waited for. The reaper does not wait for it. */
  settled(): Promise<void>;
  /** The address is nobody's any more: what a machine runs of it has ended when this resolves. A machine that says it is alive is told as much. */
  endRemoved(workspace: string, agentId: string): Promise<void>;
  close(): Promise<void>;
}
