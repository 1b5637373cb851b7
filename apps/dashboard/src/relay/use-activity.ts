import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Command, useCommand } from '../live/use-command.ts';
import { useRelay } from '../live/use-connection.ts';
import type { List } from '../live/use-list.ts';
import type { ActivityBlock } from './activity-blocks.ts';
import { ActivityReader, nothingRead, type ShownActivity } from './activity-reader.ts';

interface ActivityWanted {
  readonly agentId: string;
  /** One of its sessions; null for all. */
  readonly session: string | null;
  /** An entry around which it is read; null for its end. */
  readonly around: number | null;
}

export interface Activity extends Pick<List<ActivityBlock>, 'status' | 'items' | 'isWhole' | 'older' | 'error' | 'readAgain'> {
  /** What happens now is shown; else `newer` reads further on. */
  readonly isAtEnd: boolean;
  readonly newer: Command<void, boolean>;
  readonly others: ShownActivity['others'];
  /** Where an entry is told, or what came after it; undefined while it lies further back than what was read. */
  readonly keyAt: (entryId: number) => string | undefined;
}

/** What an agent did and does, as blocks to show. */
export function useActivity({ agentId, session, around }: ActivityWanted): Activity {
  const relay = useRelay();
  const [shown, setShown] = useState(nothingRead);
  const [attempt, setAttempt] = useState(0);
  const reader = useRef<ActivityReader>(null);
  const which = useMemo(() => ({ id: agentId, ...(session === null ? {} : { session }) }), [agentId, session]);
  useEffect(() => {
    const next = new ActivityReader({ relay, which, tell: setShown });
    reader.current = next;
    setShown(nothingRead);
    void next.begin(around);
    return () => next.close();
    // Another attempt is another reading.
  }, [relay, which, around, attempt]);
  const older = useCommand(async () => reader.current?.older() ?? true);
  const newer = useCommand(async () => reader.current?.newer() ?? true);
  const readAgain = useCallback(() => setAttempt((count) => count + 1), []);
  const { blocks, isRead, isWhole, isAtEnd, others, error } = shown;
  // What is found changes with what is shown.
  const keyAt = useCallback((entryId: number) => (blocks.length === 0 ? undefined : reader.current?.keyAt(entryId)), [blocks]);
  const status = error !== null ? 'failed' : isRead ? 'ready' : 'reading';
  return { status, items: blocks, isWhole, isAtEnd, older, newer, error, readAgain, others, keyAt };
}
