import { isOver, turnEnd } from './lost-end.ts';
import type { ItemEntry } from './methods.ts';
import type { CodexNotification, Turn } from './notifications.ts';

/** What a thread looked like when its connection was lost, and what its server says now. */
export interface MissedWhileAway {
  readonly threadId: string;
  readonly activeTurnId: string | undefined;
  /** Oldest first; at least everything since the active turn began. */
  readonly turns: readonly Turn[];
  readonly itemsByTurn: ReadonlyMap<string, readonly ItemEntry[]>;
  readonly wasSeen: (itemId: string) => boolean;
  readonly wasCompleted: (turnId: string) => boolean;
}

/**
 * The notifications that were missed, as they would have come: completed items (the server keeps no deltas), and the beginnings and ends
 * of turns. Items that are still running are not in the list; their completion comes live.
 */
export function missedNotifications({
  threadId,
  activeTurnId,
  turns,
  itemsByTurn,
  wasSeen,
  wasCompleted,
}: MissedWhileAway): CodexNotification[] {
  return turns.flatMap((turn) => {
    if (wasCompleted(turn.id)) return [];
    const items = (itemsByTurn.get(turn.id) ?? []).filter(({ item }) => !wasSeen(item.id) && !isRunning(item.raw));
    const begin = { method: 'turn/started', params: { threadId, turn: { ...turn, status: 'inProgress', items: [] } } };
    const completed = items.map(({ item }) => ({ method: 'item/completed', params: { threadId, turnId: turn.id, item: item.raw } }));
    return [...(turn.id === activeTurnId ? [] : [begin]), ...completed, ...(isOver(turn) ? [turnEnd(threadId, turn.id, turn)] : [])];
  });
}

const isRunning = (raw: unknown): boolean => typeof raw === 'object' && raw !== null && 'status' in raw && raw.status === 'inProgress';
