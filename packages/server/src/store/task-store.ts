import type { Claim, ReportedEvent, Task, TaskEvent, TaskStatus } from 'agent-relay-protocol';
import type { Change, NewMessage, NewTask, Page } from '../domain/change.ts';
import type { DeliveryRecord } from '../domain/delivery.ts';

export interface TaskFound {
  readonly task: Task;
  readonly work: { readonly status: 'open' | 'held' | 'closed'; readonly fence: number } | null;
  /** The newest claim on it. */
  readonly claim: Claim | null;
  /** Its holder's own copy of the message that offers it; null when the holder is not among its recipients. */
  readonly copy: DeliveryRecord | null;
}

/** What a report comes to. */
export type ReportDecision =
  | { readonly outcome: 'ignored' }
  | { readonly outcome: 'repeated' | 'resolved'; readonly task: Task; readonly change: Change }
  | { readonly outcome: 'created'; readonly open: (id: number) => NewMessage & { readonly task: NewTask } };

export interface TaskReport {
  readonly workspace: string;
  readonly source: string;
  readonly dedupeKey: string | null;
  /** What makes it the same report when it comes again; `at` says how old that is. */
  readonly idempotency: { readonly key: string; readonly digest: string; readonly at: number } | null;
  /** Sees the task that is active under the dedupe key. Of all that race, each sees what the one before it made. */
  readonly decide: (active: TaskFound | null) => ReportDecision;
}

export interface TaskQuery {
  readonly workspace: string;
  readonly status?: TaskStatus | 'active' | undefined;
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Where tasks came from. */
export interface TaskSource {
  readonly source: string;
  readonly active: number;
  readonly total: number;
  readonly lastSeenAt: number;
}

/**
 * Tasks. Each step of one is written in one commit with its line of history, its event and, where its source asked for it, its callback.
 * A claim on a task that any change puts moves the task with it, whoever put it.
 */
export interface TaskStore {
  /** One that came before under its idempotency key is not decided again. @throws RelayError `idempotency_mismatch`. */
  report(report: TaskReport): Promise<ReportedEvent>;
  change(workspace: string, id: number, decide: (found: TaskFound | null) => Change): Promise<void>;
  get(workspace: string, id: number): Promise<Task | null>;
  /** Those of the ids that are tasks. */
  among(workspace: string, ids: readonly number[]): Promise<ReadonlyMap<number, Task>>;
  /** Newest first. */
  list(query: TaskQuery): Promise<Page<Task>>;
  /** Oldest first, after `since`. */
  events(workspace: string, id: number, since: number, limit: number): Promise<Page<TaskEvent>>;
  sources(workspace: string): Promise<readonly TaskSource[]>;
  /**
   * Deletes idempotency keys of reports, and tasks that ended before `before`, with their history and callbacks: at most `limit` rows,
   * whatever a task has, and answers whether there may be more. A task with a callback that is still to be delivered stays.
   */
  prune(before: number, limit: number): Promise<boolean>;
}
