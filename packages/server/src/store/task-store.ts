import type { Task, TaskEvent, TaskStatus } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';
import type { Decision, ReportFacts, TaskFacts } from '../domain/facts.ts';
import type { Asked } from './asked.ts';
import type { Counted } from './counted.ts';

/** Which report it is, so that its facts can be read before it is decided. */
export interface ReportSubject {
  readonly workspace: string;
  readonly source: string;
  readonly dedupeKey: string | null;
  readonly idempotencyKey: string | null;
}

export interface TaskQuery extends Asked {
  readonly workspace: string;
  readonly status?: TaskStatus | 'active' | 'ended' | undefined;
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
 */
export interface TaskStore {
  /** Of reports that race under one key, each sees what the one before it made. */
  report<Answer>(subject: ReportSubject, decide: (facts: ReportFacts) => Decision<Answer>): Promise<Answer>;
  change<Answer>(workspace: string, id: number, decide: (facts: TaskFacts) => Decision<Answer>): Promise<Answer>;
  get(workspace: string, id: number): Promise<Task | null>;
  /** Those of the ids that are tasks. */
  among(workspace: string, ids: readonly number[]): Promise<ReadonlyMap<number, Task>>;
  /** Newest first. */
  list(query: TaskQuery): Promise<Page<Task>>;
  /** How many there are of each status, whoever may read them. */
  count(query: Omit<TaskQuery, 'before' | 'limit'>): Promise<Counted<TaskStatus>>;
  /** Oldest first, after `after`. */
  events(workspace: string, id: number, after: number, limit: number): Promise<Page<TaskEvent>>;
  sources(workspace: string): Promise<readonly TaskSource[]>;
  /**
   * Deletes idempotency keys of reports, and tasks that ended before `before`, with their history and callbacks: at most `limit` rows,
   * whatever a task has, and answers whether there may be more. A task with a callback that is still to be delivered stays.
   */
  prune(before: number, limit: number): Promise<boolean>;
}
