import type { SearchHit } from 'agent-relay-protocol';
import { useEffect, useMemo, useState } from 'react';
import { useCommand } from '../live/use-command.ts';
import { useConnection, useIsLive } from '../live/use-connection.ts';
import type { List } from '../live/use-list.ts';
import { type SearchFilter, searchRequest } from './search-filter.ts';

interface Found {
  readonly status: 'nothing' | 'reading' | 'ready' | 'failed';
  readonly hits: readonly SearchHit[];
  readonly nextCursor: string | undefined;
  /** How much of the newest cannot be found yet. */
  readonly behind: number;
  readonly error: unknown;
}

const nothing: Found = { status: 'nothing', hits: [], nextCursor: undefined, behind: 0, error: null };

export interface Search extends Pick<List<SearchHit>, 'items' | 'isWhole' | 'older' | 'error' | 'readAgain'> {
  readonly status: Found['status'];
  readonly behind: number;
}

/** What the relay finds, newest first, page by page; what was looked for before is void. */
export function useSearch(filter: SearchFilter): Search {
  const { relay, now } = useConnection();
  const isLive = useIsLive();
  const key = JSON.stringify(filter);
  const [attempt, setAttempt] = useState(0);
  const [found, setFound] = useState(nothing);
  // The days count from when they were asked for, on every page.
  const request = useMemo(() => searchRequest(JSON.parse(key) as SearchFilter, now()), [key, now]);
  useEffect(() => {
    if (request === null || !isLive) {
      if (request === null) setFound(nothing);
      return;
    }
    const stop = new AbortController();
    setFound((before) => ({ ...before, status: 'reading', error: null }));
    relay.search.find(request, { signal: stop.signal }).then(
      ({ data, nextCursor, behind }) => {
        if (!stop.signal.aborted) setFound({ status: 'ready', hits: data, nextCursor, behind, error: null });
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFound({ ...nothing, status: 'failed', error });
      },
    );
    return () => stop.abort();
    // Another attempt is another search.
  }, [relay, request, isLive, attempt]);
  const older = useCommand(async () => {
    if (request === null || found.nextCursor === undefined) return true;
    const { data, nextCursor, behind } = await relay.search.find({ ...request, before: found.nextCursor });
    setFound((before) => (before === found ? { ...before, hits: [...before.hits, ...data], nextCursor, behind } : before));
    return nextCursor === undefined;
  });
  const { status, hits, behind, error, nextCursor } = found;
  return {
    status,
    items: hits,
    behind,
    error,
    isWhole: nextCursor === undefined,
    older,
    readAgain: () => setAttempt((count) => count + 1),
  };
}
