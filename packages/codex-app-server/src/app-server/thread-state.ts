import type { KnownNotification, ThreadStatus } from './notifications.ts';

/**
 * Where a thread stands on its server.
 *
 * States: *idle* after start and resume; *active* from `turn/started` (or the answer to `turn/start`, whichever comes first) until that
 * turn's `turn/completed`; *systemError* after a failed turn, from which the next turn starts as from idle; *unloaded* once the server
 * has let the thread go. Items may complete after their turn: background commands do. A second `turn/started` replaces the turn.
 */
export type ThreadState =
  | { readonly status: 'idle' | 'systemError' | 'unloaded' }
  | { readonly status: 'active'; readonly turnId: string; readonly waitsFor: readonly string[] };

export const idle: ThreadState = { status: 'idle' };

/** What is true after a notification. The order of a status change and the turn's own notifications is not relied on. */
export function nextThreadState(state: ThreadState, { method, params }: KnownNotification): ThreadState {
  switch (method) {
    case 'turn/started':
      return { status: 'active', turnId: params.turn.id, waitsFor: [] };
    case 'turn/completed':
      if (state.status === 'active' && state.turnId !== params.turn.id) return state;
      return params.turn.status === 'failed' ? { status: 'systemError' } : idle;
    case 'thread/status/changed':
      return afterStatus(state, params.status);
    case 'thread/closed':
      return { status: 'unloaded' };
    default:
      return state;
  }
}

function afterStatus(state: ThreadState, status: ThreadStatus): ThreadState {
  if (status.type === 'notLoaded') return { status: 'unloaded' };
  // Only `turn/completed` ends a turn: the status says idle a moment earlier, and does not say which turn.
  if (status.type !== 'active' || state.status !== 'active') return state;
  return { ...state, waitsFor: status.activeFlags };
}
