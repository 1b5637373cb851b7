import type { ActivityEntry, RelayClient } from 'agent-relay-client';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useCommand } from '../live/use-command.ts';
import { useRelay } from '../live/use-connection.ts';
import type { List } from '../live/use-list.ts';
import { type ActivityBlock, addEntries, keyOfEntry } from './activity-blocks.ts';

const PAGE = 1_000;
/** So many entries are kept to be folded anew when a person reads further back. */
const ENTRY_LIMIT = 100_000;
/** What comes is shown together with what comes soon after it. */
const QUIET_MS = 50;

interface Shown {
  readonly blocks: readonly ActivityBlock[];
  readonly isRead: boolean;
  readonly isWhole: boolean;
  readonly error: unknown;
}

const nothing: Shown = { blocks: [], isRead: false, isWhole: false, error: null };

export interface Activity extends Pick<List<ActivityBlock>, 'status' | 'items' | 'isWhole' | 'older' | 'error' | 'readAgain'> {
  /** Where an entry is told, or what came after it; undefined while it lies further back than what was read. */
  readonly keyAt: (entryId: number) => string | undefined;
}

/** What an agent did and does, as blocks to show; in one session, or in all. */
export function useActivity(agentId: string, session: string | null): Activity {
  const relay = useRelay();
  const [shown, setShown] = useState(nothing);
  const [attempt, setAttempt] = useState(0);
  const entries = useRef<ActivityEntry[]>([]);
  const which = useMemo(() => ({ id: agentId, ...(session === null ? {} : { session }) }), [agentId, session]);
  useEffect(() => {
    const stop = new AbortController();
    setShown(nothing);
    follow(relay, which, { entries, setShown, signal: stop.signal }).catch((error: unknown) => {
      if (!stop.signal.aborted) setShown((before) => ({ ...before, error }));
    });
    return () => stop.abort();
    // Another attempt is another reading.
  }, [relay, which, attempt]);
  const older = useCommand(async () => {
    const before = entries.current[0]?.id ?? 1;
    const { data, nextCursor } = await relay.agents.activity({ ...which, newest: true, limit: PAGE, before });
    entries.current = [...data, ...entries.current];
    setShown((now) => ({ ...now, blocks: addEntries([], entries.current), isWhole: nextCursor === undefined }));
    return nextCursor === undefined;
  });
  const readAgain = useCallback(() => setAttempt((count) => count + 1), []);
  const { blocks, isRead, isWhole, error } = shown;
  const keyAt = useCallback((entryId: number) => keyIn(blocks, entries.current, entryId), [blocks]);
  return { status: error !== null ? 'failed' : isRead ? 'ready' : 'reading', items: blocks, isWhole, older, error, readAgain, keyAt };
}

function keyIn(blocks: readonly ActivityBlock[], entries: readonly ActivityEntry[], entryId: number): string | undefined {
  const index = entries.findIndex(({ id }) => id >= entryId);
  if (index === -1 || (index === 0 && entries[0]?.id !== entryId)) return undefined;
  const keys = new Set(blocks.map(({ key }) => key));
  const shown = entries.slice(index).find((entry) => keys.has(keyOfEntry(entry)));
  return shown && keyOfEntry(shown);
}

interface Following {
  readonly entries: { current: ActivityEntry[] };
  readonly setShown: (change: (before: Shown) => Shown) => void;
  readonly signal: AbortSignal;
}

async function follow(
  relay: RelayClient,
  which: { readonly id: string; readonly session?: string },
  { entries, setShown, signal }: Following,
): Promise<void> {
  const { data, nextCursor } = await relay.agents.activity({ ...which, newest: true, limit: PAGE });
  if (signal.aborted) return;
  entries.current = data;
  setShown(() => ({ blocks: addEntries([], data), isRead: true, isWhole: nextCursor === undefined, error: null }));
  let come: ActivityEntry[] = [];
  const show = () => {
    const more = come;
    come = [];
    if (!signal.aborted) setShown((before) => ({ ...before, blocks: addEntries(before.blocks, more) }));
  };
  for await (const entry of relay.activity(which.id, { after: data.at(-1)?.id ?? 0, signal })) {
    if (which.session !== undefined && entry.sessionId !== which.session) continue;
    if (entry.id > 0) entries.current.push(entry);
    if (entries.current.length > ENTRY_LIMIT * 1.1) entries.current = entries.current.slice(-ENTRY_LIMIT);
    if (come.push(entry) === 1) setTimeout(show, QUIET_MS);
  }
}
