import { RecentMap, RecentSet } from 'agent-relay-wire';
import { type MissedWhileAway, missedNotifications } from './catch-up.ts';
import type { CodexNotification, KnownNotification, Turn } from './notifications.ts';

const remembered = 4096;

/**
 * Which turns and items of a thread were heard of, and so which were missed. Turn ids are UUIDs of version 7: they sort by time, and what is older than
 * all that was heard is history, not news.
 */
export class HeardTurns {
  readonly #items = new RecentSet<string>(remembered);
  readonly #ended = new RecentSet<string>(remembered);
  readonly #turnByMessage = new RecentMap<string, string>(remembered);
  #newest: string | undefined;
  #hasBegun = false;

  /** `newest` is the turn from which on everything is news; left out, that begins with the first turn that is heard of. */
  constructor(newest?: string) {
    this.#newest = newest;
  }

  /** Of a thread that a turn of another one started: what it took over from there is history. */
  static after(turnId: string): HeardTurns {
    const heard = new HeardTurns(turnId);
    heard.#ended.add(turnId);
    return heard;
  }

  observe({ method, params }: KnownNotification): void {
    if (method === 'item/completed') {
      const { item, turnId } = params;
      this.#items.add(item.id);
      if (item.known?.type === 'userMessage' && item.known.clientId) this.#turnByMessage.set(item.known.clientId, turnId);
    }
    if (method === 'turn/completed') this.#ended.add(params.turn.id);
    if (method !== 'turn/started') return;
    // It was told to be over before it had begun, and has an end of its own after all.
    this.#ended.delete(params.turn.id);
    this.#newest = params.turn.id;
    this.#hasBegun = true;
  }

  hasItem(itemId: string): boolean {
    return this.#items.has(itemId);
  }

  hasEnded(turnId: string): boolean {
    return this.#ended.has(turnId);
  }

  /** The turn that a message entered, as far as it was heard. */
  turnOfMessage(clientUserMessageId: string): string | undefined {
    return this.#turnByMessage.get(clientUserMessageId);
  }

  /** The turn from which on something may have been missed; undefined where nothing was heard, so that nothing is missed. */
  missedSince(activeTurnId: string | undefined): string | undefined {
    return activeTurnId ?? this.#newest;
  }

  /** The turn that was heard to begin last, until its end is heard. */
  get openTurnId(): string | undefined {
    return this.#newest !== undefined && this.#hasBegun && !this.#ended.has(this.#newest) ? this.#newest : undefined;
  }

  /** A turn was heard of, and so was its end. */
  get isOver(): boolean {
    return this.#hasBegun && this.openTurnId === undefined;
  }

  /** Of the newest turns, those of which something may have been missed, oldest first. */
  maybeMissed(newest: readonly Turn[], activeTurnId: string | undefined): readonly Turn[] {
    const floor = this.missedSince(activeTurnId);
    return newest.filter(({ id }) => floor !== undefined && id >= floor && !this.#ended.has(id)).reverse();
  }

  /** What was missed in these turns, as it would have been told. */
  missed(away: Omit<MissedWhileAway, 'wasSeen' | 'wasCompleted'>): readonly CodexNotification[] {
    return missedNotifications({ ...away, wasSeen: (id) => this.#items.has(id), wasCompleted: (id) => this.#ended.has(id) });
  }
}
