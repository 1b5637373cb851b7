import type { Claim, Task, TaskEvent, TaskStatus } from 'agent-relay-protocol';
import type { TaskStep } from '../domain/task-lifecycle.ts';
import type { Change, Page } from './store.ts';

/** A task that is created together with the message that offers it. */
export interface NewTask {
  readonly step: TaskStep;
  /** The integration that is told of its life; null when nobody is. */
  readonly callbackTo: string | null;
}

export interface TaskFound {
  readonly task: Task;
  readonly work: { readonly status: 'open' | 'held' | 'closed'; readonly fence: number } | null;
  /** The newest claim on it. */
  readonly claim: Claim | null;
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
  /** One report of a source: `decide` sees the task that is active under the key. Of all that race, each sees what the one before it made. */
  report(workspace: string, source: string, dedupeKey: string | null, decide: (active: TaskFound | null) => Change): Promise<void>;
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
   * Deletes tasks that ended before `before`, with their history and callbacks: at most `limit` rows, whatever a task has, and answers
   * whether there may be more. One with a callback that is still to be delivered stays.
   */
  prune(before: number, limit: number): Promise<boolean>;
}
