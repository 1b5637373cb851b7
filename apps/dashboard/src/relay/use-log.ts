import type { RelayClient, RelayEvent } from 'agent-relay-client';
import { useEffect, useState } from 'react';
import { useRelay } from '../live/use-connection.ts';
import type { LogFilter } from './event-filter.ts';

/** So far back the log is read where nobody says from where. */
export const LOG_STEP = 1_000;
/** So many are kept, the newest. */
const KEPT = 10_000;
const QUIET_MS = 100;
/** What of the past has not come so long after the log was opened is not there: nothing tells where the past ends. */
const PAST_MS = 1_500;

/** One commit may tell of several things, so their place in the log is not enough to tell them apart. */
export interface LogRow {
  readonly key: string;
  readonly event: RelayEvent;
}

export interface ReadLog {
  readonly events: readonly LogRow[];
  /** From where it is read, and where the log begins; null while that is not known. */
  readonly from: number | null;
  readonly oldest: number;
  /** The last place of the log that was read. */
  readonly cursor: number;
  /** What there was of it has come. */
  readonly isRead: boolean;
  readonly error: unknown;
}

const nothing: ReadLog = { events: [], from: null, oldest: 0, cursor: 0, isRead: false, error: null };

/** The log as it is and goes on, oldest first. */
export function useLog({ type, agent, channel, after }: LogFilter): ReadLog {
  const relay = useRelay();
  const [log, setLog] = useState(nothing);
  useEffect(() => {
    const stop = new AbortController();
    setLog(nothing);
    const wanted = {
      ...(type === undefined ? {} : { types: [type] }),
      ...(agent === undefined ? {} : { for: agent }),
      ...(channel === undefined ? {} : { channel }),
    };
    follow(relay, { wanted, after, setLog, signal: stop.signal }).catch((error: unknown) => {
      if (!stop.signal.aborted) setLog((before) => ({ ...before, error }));
    });
    return () => stop.abort();
  }, [relay, type, agent, channel, after]);
  return log;
}

interface Following {
  readonly wanted: { readonly types?: string[]; readonly for?: string; readonly channel?: string };
  readonly after: number | undefined;
  readonly setLog: (change: (before: ReadLog) => ReadLog) => void;
  readonly signal: AbortSignal;
}

async function follow(relay: RelayClient, { wanted, after, setLog, signal }: Following): Promise<void> {
  const { cursor, oldest } = await relay.system.stats();
  const first = Math.max(0, oldest - 1);
  const from = Math.max(first, Math.min(after ?? cursor - LOG_STEP, cursor));
  if (signal.aborted) return;
  setLog(() => ({ ...nothing, from, oldest: first, cursor }));
  let come: LogRow[] = [];
  let count = 0;
  const show = () => {
    const more = come;
    come = [];
    const last = more.at(-1)?.event.seq ?? 0;
    if (!signal.aborted)
      setLog((before) => ({
        ...before,
        isRead: true,
        events: [...before.events, ...more].slice(-KEPT),
        cursor: Math.max(before.cursor, last),
      }));
  };
  const onConnection = () => void setTimeout(() => signal.aborted || setLog((before) => ({ ...before, isRead: true })), PAST_MS);
  // A log that cannot be continued is another one, or has lost its beginning: what is shown of it stays.
  for await (const event of relay.events({ ...wanted, after: from, onReset: () => {}, onConnection, signal })) {
    count += 1;
    if (come.push({ key: `${event.seq}/${count}`, event }) === 1) setTimeout(show, QUIET_MS);
  }
}
