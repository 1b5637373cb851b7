import type { CodexNotification, Turn } from './notifications.ts';

/** Whether a turn's own record says that it is over. */
export const isOver = ({ status }: Turn): boolean => status === 'completed' || status === 'interrupted' || status === 'failed';

/** How a turn ended whose own word about it did not come: stopped as it was told, ended in a form that cannot be read, or never told at all. */
export type LostEnd = 'stopped' | 'unreadable' | 'untold';

const words: Readonly<Record<Exclude<LostEnd, 'stopped'>, { readonly message: string; readonly codexErrorInfo: string }>> = {
  unreadable: { message: 'Codex ended this turn in a way that this version cannot read', codexErrorInfo: 'turnEndUnreadable' },
  untold: { message: 'Codex says that nothing runs any more, but not how this turn ended', codexErrorInfo: 'turnEndMissing' },
};

/** The end of a turn that its server took with it. */
export function crashedTurn(turn: Pick<Turn, 'id'> & Partial<Turn>, message: string): Turn {
  return { items: [], durationMs: undefined, ...turn, status: 'failed', error: { message, codexErrorInfo: 'agentCrashed' } };
}

/** A turn's end as a notification would have told it: from its record where there is one, else failed, because nothing says that it went well. */
export function turnEnd(threadId: string, turnId: string, known: Turn | LostEnd): CodexNotification {
  const end =
    typeof known === 'object'
      ? { ...known, items: known.items.map(({ raw }) => raw) }
      : { id: turnId, items: [], ...(known === 'stopped' ? { status: 'interrupted' } : { status: 'failed', error: words[known] }) };
  return { method: 'turn/completed', params: { threadId, turn: end } };
}
