import type { Task, TaskStatus } from 'agent-relay-protocol';

/** Whether a task says these words, in any case, in what a list shows of it. Without words every task does. */
export function saysWords(task: Task, words: string | undefined): boolean {
  const wanted = words?.trim().toLowerCase() ?? '';
  const { id, title, target, claimedBy, severity, type, dedupeKey } = task;
  return wanted === '' || [id, title, target, claimedBy, severity, type, dedupeKey].join('\n').toLowerCase().includes(wanted);
}

/** Counts of nothing yet. */
export const noTasks = (): Record<TaskStatus, number> => ({
  open: 0,
  claimed: 0,
  in_progress: 0,
  blocked: 0,
  done: 0,
  failed: 0,
  canceled: 0,
});
