import type { Callback, CallbackStatus } from 'agent-relay-protocol';
import type { Page } from '../domain/change.ts';
import type { Asked } from './asked.ts';
import type { Counted } from './counted.ts';
import type { DuePost, PostOutcome } from './due-post.ts';

/** A callback whose turn it is; its subject is its task. */
export interface DueCallback extends DuePost, Pick<Callback, 'event'> {}

export interface CallbackQuery extends Asked {
  readonly workspace: string;
  readonly status?: CallbackStatus | undefined;
  readonly integration?: string | undefined;
  readonly taskId?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Callbacks on their way. They are written with the task's step they tell of; here they are sent and settled, and the log is told. */
export interface CallbackStore {
  /** What is to be sent by `now`, oldest first: of each task only the next one. */
  due(workspace: string, integration: string, now: number, limit: number): Promise<readonly DueCallback[]>;
  nextDue(workspace: string, integration: string): Promise<number | null>;
  /** Writes down an attempt; settling one lets the next of its task go. */
  settle(id: number, outcome: PostOutcome): Promise<void>;
  /** Sends one again, at its place: behind those of its task that came before it, and before those that came after. `mayRedeliver` sees it, or null, and throws what refuses it. */
  redeliver(
    workspace: string,
    id: number,
    when: { readonly now: number; readonly deadlineAt: number },
    mayRedeliver: (found: Callback | null) => void,
  ): Promise<Callback>;
  /** Gives up what is still pending after its deadline, e.g. because its integration is not configured any more. */
  giveUp(now: number, reason: string, limit: number): Promise<number>;
  /** Newest first. */
  list(query: CallbackQuery): Promise<Page<Callback>>;
  count(query: Omit<CallbackQuery, 'before' | 'limit' | 'caller' | 'taskId'>): Promise<Counted<CallbackStatus>>;
  /** Rung after each commit that wrote or settled a callback. */
  onWritten(listener: () => void): () => void;
}
