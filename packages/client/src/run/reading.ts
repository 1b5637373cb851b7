import { RelayError, type RunRecord } from 'agent-relay-protocol';
import type { CallOptions } from '../options.ts';

export interface RecordOptions extends Pick<CallOptions, 'signal'> {
  /** Unix milliseconds, for the first line. */
  readonly recordedAt: number;
  /** Only what these said, received and did; left out, what everybody did. */
  readonly agents?: readonly string[];
  /** Unix milliseconds: nothing that began before, nothing that began from then on. Rules and reservations count as long as they hold. */
  readonly since?: number;
  readonly until?: number;
}

export type Line = Exclude<RunRecord, { readonly type: 'run' }>;

export const PAGE = 500;

export const isInTime = (at: number, { since = 0, until = Number.POSITIVE_INFINITY }: RecordOptions): boolean => at >= since && at < until;

const unreadable: ReadonlySet<string> = new Set(['not_found', 'unauthorized', 'forbidden', 'forbidden_scope', 'forbidden_target']);

/** Null where there is no such thing for the caller. */
export async function readable<Answer>(read: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RelayError && unreadable.has(error.code)) return null;
    throw error;
  }
}

interface PageBefore<Item> {
  readonly data: readonly Item[];
  readonly nextCursor?: number | undefined;
}

/** Every page of a list that begins with the newest, turned round: of two in one millisecond the one that began first comes first. */
export async function readBack<Item>(
  list: (from: { readonly limit: number; readonly before?: number }) => Promise<PageBefore<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  for (let before: number | undefined, isFirst = true; isFirst || before !== undefined; isFirst = false) {
    const page: PageBefore<Item> = await list({ limit: PAGE, ...(before !== undefined && { before }) });
    for (const item of page.data) items.push(item);
    before = page.nextCursor;
  }
  return items.reverse();
}
