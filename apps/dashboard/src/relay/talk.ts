import type { MessageDetail } from 'agent-relay-client';

/** Somebody who says something or is spoken to: an agent, or a group by its address. */
export interface Talker {
  readonly id: string;
  readonly isGroup: boolean;
  /** How often it spoke or was spoken to. */
  readonly count: number;
}

/** What one said to the other. */
export interface TalkLine {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly lastAt: number;
}

export interface WhoTalks {
  readonly talkers: readonly Talker[];
  /** Most talk first. */
  readonly lines: readonly TalkLine[];
  /** How many of the quietest are left out. */
  readonly omitted: number;
}

export type SaidMessage = Pick<MessageDetail, 'from' | 'to' | 'createdAt'>;

/** Who talks to whom in these messages, up to a time; of many talkers those with most to say. */
export function talkOf(messages: readonly SaidMessage[], until: number, limit = 36): WhoTalks {
  const counts = new Map<string, number>();
  const lines = new Map<string, TalkLine>();
  for (const { from, to, createdAt } of messages) {
    if (createdAt > until) continue;
    const target = to.replace(/^id:/u, '');
    for (const id of [from, target]) counts.set(id, (counts.get(id) ?? 0) + 1);
    const key = `${from}\n${target}`;
    const known = lines.get(key);
    lines.set(key, { from, to: target, count: (known?.count ?? 0) + 1, lastAt: Math.max(known?.lastAt ?? 0, createdAt) });
  }
  const busiest = [...counts].sort(([one, some], [other, more]) => more - some || one.localeCompare(other));
  const shown = new Set(busiest.slice(0, limit).map(([id]) => id));
  return {
    talkers: busiest
      .slice(0, limit)
      .map(([id, count]) => ({ id, count, isGroup: isGroupAddress(id) }))
      .sort((one, other) => one.id.localeCompare(other.id)),
    lines: [...lines.values()]
      .filter(({ from, to }) => shown.has(from) && shown.has(to))
      .sort((one, other) => other.count - one.count || other.lastAt - one.lastAt),
    omitted: busiest.length - shown.size,
  };
}

/** An agent's id has no colon. */
const isGroupAddress = (id: string): boolean => id === 'broadcast' || id.includes(':');
