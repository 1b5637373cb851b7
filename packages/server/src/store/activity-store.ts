import type { ActivityEntry, AgentEvent } from 'agent-relay-protocol';
import type { Change, Page } from '../domain/change.ts';
import type { ActivityFacts } from '../domain/facts.ts';

export interface NewEntry {
  readonly seq: number;
  readonly at: number;
  readonly event: AgentEvent;
}

/** What follows from an entry that is new, in this order and in the same commit. It is shown what the entries before have left. */
export type FollowActivity = (entry: NewEntry, facts: ActivityFacts) => readonly Change[];

export interface NewActivity {
  readonly workspace: string;
  readonly agentId: string;
  readonly sessionId: string;
  /** Arrived after the session had ended. */
  readonly late: boolean;
  /** In order of `seq`, without a gap. */
  readonly entries: readonly NewEntry[];
  /** On whose day what they used is counted. */
  readonly now: number;
}

export interface ActivityQuery {
  readonly workspace: string;
  readonly agentId: string;
  readonly sessionId?: string | undefined;
  /** Entries with a greater id. */
  readonly after: number;
  /** With a smaller one; then the last `limit` of them instead of the first. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What agents do: one log per session with its own sequence, and its own cursor over all of an agent's. It is no part of the relay's log. */
export interface ActivityStore {
  /**
   * Appends what follows the entries it has; those it has already are skipped. Answers the last sequence it has now.
   * @throws RelayError `validation_failed` when a sequence is missing before the first new entry, `not_found` when there is no such session.
   */
  append(activity: NewActivity, follow: FollowActivity): Promise<{ readonly ackedSeq: number; readonly stored: number }>;
  /** The last sequence appended for a session, also when it has been pruned; 0 before the first. */
  lastSeq(workspace: string, sessionId: string): Promise<number>;
  /** Oldest first. The page's cursor is the id of the newest entry of the agent. */
  list(query: ActivityQuery): Promise<Page<ActivityEntry>>;
  /** Deletes at most `limit` entries from before `before`. Answers how many went. */
  prune(before: number, limit: number): Promise<number>;
}
