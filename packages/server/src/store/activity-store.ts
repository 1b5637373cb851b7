import type { ActivityEntry, AgentEvent, Approval, Session } from 'agent-relay-protocol';
import type { Change, Page } from '../domain/change.ts';

export interface NewEntry {
  readonly seq: number;
  readonly at: number;
  readonly event: AgentEvent;
}

/**
 * What follows from an entry that is new, in the same commit; null for nothing. `findApproval` finds the session's own, as the entries before
 * this one have left it.
 */
export type FollowActivity = (entry: NewEntry, session: Session, findApproval: (approvalId: string) => Approval | null) => Change | null;

export interface NewActivity {
  readonly workspace: string;
  readonly agentId: string;
  readonly sessionId: string;
  /** Arrived after the session had ended. */
  readonly late: boolean;
  /** In order of `seq`, without a gap. */
  readonly entries: readonly NewEntry[];
  readonly follow: FollowActivity;
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
  append(activity: NewActivity): Promise<{ readonly ackedSeq: number; readonly stored: number }>;
  /** The last sequence appended for a session, also when it has been pruned; 0 before the first. */
  lastSeq(workspace: string, sessionId: string): Promise<number>;
  /** Oldest first. The page's cursor is the id of the newest entry of the agent. */
  list(query: ActivityQuery): Promise<Page<ActivityEntry>>;
  /** Deletes at most `limit` entries from before `before`. Answers how many went. */
  prune(before: number, limit: number): Promise<number>;
}
