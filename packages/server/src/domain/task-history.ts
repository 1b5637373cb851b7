import type { TaskEvent } from 'agent-relay-protocol';

/** A line of a task's history, and the how-manieth line of repeated reports in a row it is; 0 for everything else. */
export interface HistoryLine {
  readonly line: TaskEvent;
  readonly inRow: number;
}

/** Reports that say different things keep a line each, up to so many between two other steps of a task. */
export const MAX_REPEAT_LINES_IN_A_ROW = 50;

/**
 * The newest line after one more event: the event's own, or the line before with one more in it. A report that says what the one before it
 * said adds nothing but its number and its time; where they differ for ever, the last of many lines keeps what was said last.
 */
export function continueHistory(newest: HistoryLine | null, next: TaskEvent): HistoryLine {
  if (next.type !== 'task.repeated') return { line: next, inRow: 0 };
  if (newest?.line.type !== 'task.repeated') return { line: next, inRow: 1 };
  const { line, inRow } = newest;
  const isSame = line.by === next.by && JSON.stringify(line.detail) === JSON.stringify(next.detail);
  if (!isSame && inRow < MAX_REPEAT_LINES_IN_A_ROW) return { line: next, inRow: inRow + 1 };
  return { line: { ...next, seq: line.seq, at: line.at, count: line.count + 1 }, inRow };
}
