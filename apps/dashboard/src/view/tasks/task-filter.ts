import type { Task, TaskStatus } from 'agent-relay-protocol';
import { isEndedTask } from '../../relay/tasks.ts';

export const statusChoices = ['active', 'ended', 'all', 'open', 'claimed', 'in_progress', 'blocked', 'done', 'failed', 'canceled'] as const;
export type StatusChoice = (typeof statusChoices)[number];

/** What the address of the page says; absent is the default. */
export interface TaskSearch {
  readonly status?: Exclude<StatusChoice, 'active'>;
  readonly source?: string;
  readonly find?: string;
}

export const statusWords: Readonly<Record<StatusChoice, string>> = {
  active: 'Active',
  ended: 'Ended',
  all: 'All',
  open: 'Open',
  claimed: 'Claimed',
  in_progress: 'In progress',
  blocked: 'Blocked',
  done: 'Done',
  failed: 'Failed',
  canceled: 'Canceled',
};

/** Reads what somebody may have typed into the address. */
export function readTaskSearch(search: Readonly<Record<string, unknown>>): TaskSearch {
  const status = statusChoices.find((choice) => choice === search['status']);
  return {
    ...(status === undefined || status === 'active' ? {} : { status }),
    ...textOf(search, 'source'),
    ...textOf(search, 'find'),
  };
}

const textOf = <Name extends 'source' | 'find'>(search: Readonly<Record<string, unknown>>, name: Name): Partial<Record<Name, string>> => {
  const value = search[name];
  // A number in an address is read as one.
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' ? ({ [name]: text } as Record<Name, string>) : {}; // one key, the one asked for
};

/** What of the tasks is shown. */
export function filterTasks(
  tasks: readonly Task[],
  { status = 'active' as const, source, find }: Omit<TaskSearch, 'status'> & { readonly status?: StatusChoice },
): readonly Task[] {
  const wanted = find?.trim().toLowerCase() ?? '';
  return tasks.filter(
    (task) =>
      matchesStatus(task, status) && (source === undefined || task.source === source) && (wanted === '' || wordsOf(task).includes(wanted)),
  );
}

function matchesStatus(task: Task, choice: StatusChoice): boolean {
  if (choice === 'all') return true;
  if (choice === 'active' || choice === 'ended') return isEndedTask(task) === (choice === 'ended');
  return task.status === (choice satisfies TaskStatus);
}

const wordsOf = ({ id, title, target, claimedBy, severity, type, dedupeKey }: Task): string =>
  [id, title, target, claimedBy, severity, type, dedupeKey].join('\n').toLowerCase();

export const sourcesOf = (tasks: readonly Task[]): readonly string[] => [...new Set(tasks.map(({ source }) => source))].sort();
