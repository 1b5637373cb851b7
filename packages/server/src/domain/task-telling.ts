import type { CallbackEvent, Task, TaskEvent } from 'agent-relay-protocol';
import { CALLBACK_LIFETIME_MS } from './callback-policy.ts';
import type { NewEvent } from './change.ts';
import { continueHistory, type HistoryLine } from './task-history.ts';
import { callbackEventOf, type TaskStep } from './task-lifecycle.ts';

/** What a step of a task is told as in the log, whose number its history and its callback name. */
export const taskEvent = ({ type, task }: TaskStep): NewEvent => ({ type, at: task.updatedAt, task });

export interface TaskBefore {
  /** Null for one that begins. */
  readonly task: Task | null;
  /** The newest of its history. */
  readonly newest: HistoryLine | null;
  /** The integration that is told of its life; null when nobody is. */
  readonly callbackTo: string | null;
}

export interface NewCallback {
  readonly integration: string;
  readonly event: CallbackEvent;
  readonly at: number;
  readonly deadlineAt: number;
  readonly body: string;
}

export interface ToldStep {
  /** The newest of its history now: a new one, or the one before with more in it. */
  readonly line: HistoryLine;
  readonly callback: NewCallback | null;
}

/** What is kept of a step that the log tells of as `seq`. */
export function toldStep(step: TaskStep, seq: number, before: TaskBefore): ToldStep {
  const { task, type, by, detail } = step;
  const { id: taskId, updatedAt: at, status, occurrenceCount } = task;
  const said: TaskEvent = { seq, taskId, type, at, count: 1, lastAt: at, by, status, occurrenceCount, detail };
  return { line: continueHistory(before.newest, said), callback: callbackOf(step, seq, before) };
}

function callbackOf(step: TaskStep, seq: number, { task: before, callbackTo: integration }: TaskBefore): NewCallback | null {
  const event = integration === null ? null : callbackEventOf(step, before);
  if (integration === null || event === null) return null;
  const { task, type } = step;
  const at = task.updatedAt;
  return { integration, event, at, deadlineAt: at + CALLBACK_LIFETIME_MS, body: JSON.stringify({ event, task, type, seq, at }) };
}
