import type { TaskFilter } from '../../relay/tasks.ts';

export const statusChoices = ['active', 'ended', 'all', 'open', 'claimed', 'in_progress', 'blocked', 'done', 'failed', 'canceled'] as const;
export type StatusChoice = (typeof statusChoices)[number];

/** What the address of the page says; absent is the default. */
export interface TaskSearch extends TaskFilter {
  /** By status beside each other, instead of one list. */
  readonly view?: 'board';
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
    ...textOf(search, 'target'),
    ...textOf(search, 'find'),
    ...(search['view'] === 'board' ? { view: 'board' } : {}),
  };
}

const textOf = <Name extends 'source' | 'target' | 'find'>(
  search: Readonly<Record<string, unknown>>,
  name: Name,
): Partial<Record<Name, string>> => {
  const value = search[name];
  // A number in an address is read as one.
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && text !== '' ? ({ [name]: text } as Record<Name, string>) : {}; // one key, the one asked for
};
