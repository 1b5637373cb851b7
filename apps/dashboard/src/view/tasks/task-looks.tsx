import type { Task, TaskEventType, TaskStatus } from 'agent-relay-protocol';
import { known, plainLook } from '../known.ts';

const looks: Readonly<Record<TaskStatus, { readonly mark: string; readonly tone: string; readonly word: string }>> = {
  open: { mark: '○', tone: 'text-warn', word: 'open' },
  claimed: { mark: '◔', tone: 'text-accent', word: 'claimed' },
  in_progress: { mark: '◑', tone: 'text-accent', word: 'in progress' },
  blocked: { mark: '⊘', tone: 'text-bad', word: 'blocked' },
  done: { mark: '✔', tone: 'text-good', word: 'done' },
  failed: { mark: '✕', tone: 'text-bad', word: 'failed' },
  canceled: { mark: '–', tone: 'text-soft', word: 'canceled' },
};

export function TaskStatusMark({ status }: { readonly status: TaskStatus }) {
  const { mark, tone, word } = known(looks, status, plainLook);
  return (
    <span className={`whitespace-nowrap ${tone}`} data-task-status={status}>
      {mark} {word}
    </span>
  );
}

const severe: ReadonlySet<string> = new Set(['critical', 'error', 'high', 'fatal', 'emergency', 'page', 'p1', 'sev1']);
const notable: ReadonlySet<string> = new Set(['warning', 'warn', 'medium', 'major', 'p2', 'sev2']);

/** Sources have words of their own for how bad it is; those that many use get a colour. */
export function Severity({ severity }: { readonly severity: Task['severity'] }) {
  if (severity === null) return null;
  const word = severity.toLowerCase();
  const tone = severe.has(word) ? 'border-bad/50 text-bad' : notable.has(word) ? 'border-warn/50 text-warn' : 'border-line text-soft';
  return <span className={`max-w-32 shrink-0 truncate rounded border px-1.5 text-xs ${tone}`}>{severity}</span>;
}

const eventWords: Readonly<Record<TaskEventType, string>> = {
  'task.created': 'reported',
  'task.repeated': 'reported again',
  'task.claimed': 'claimed',
  'task.updated': 'updated',
  'task.released': 'given back',
  'task.completed': 'done',
  'task.failed': 'failed',
  'task.canceled': 'canceled',
};

export const taskEventWord = (type: string): string => known(eventWords, type, (word) => word);
