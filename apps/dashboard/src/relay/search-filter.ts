import type { RouteRequest } from 'agent-relay-protocol';

/** What is looked for, as the address of the page has it. */
export interface SearchFilter {
  readonly text?: string;
  readonly in?: 'messages' | 'activity';
  readonly agent?: string;
  readonly type?: string;
  readonly tool?: string;
  readonly file?: string;
  /** Of the last so many days. */
  readonly days?: number;
}

const words = ['text', 'agent', 'type', 'tool', 'file'] as const;

/** Reads what somebody may have typed into the address. */
export function readSearchFilter(search: Readonly<Record<string, unknown>>): SearchFilter {
  const said = words.flatMap((name) => {
    const value = search[name];
    const text = typeof value === 'number' ? String(value) : value; // a number in an address is read as one
    return typeof text === 'string' && text.trim() !== '' ? [[name, text]] : [];
  });
  const { in: only, days } = search;
  return {
    ...Object.fromEntries(said),
    ...(only === 'messages' || only === 'activity' ? { in: only } : {}),
    ...(typeof days === 'number' && days > 0 ? { days } : {}),
  };
}

const DAY_MS = 86_400_000;

/** What is asked of the relay; null where nothing is looked for. */
export function searchRequest({ days, ...filter }: SearchFilter, now: number): RouteRequest<'search/find'> | null {
  if (words.every((name) => filter[name] === undefined)) return null;
  return { ...filter, ...(days === undefined ? {} : { sinceAt: now - days * DAY_MS }) };
}
