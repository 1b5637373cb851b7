import type { LiveEvent } from 'agent-relay-provider';
import { RecentSet } from 'agent-relay-wire';
import { type CodexNotification, parseNotification, type RateLimitWindow } from '../app-server/notifications.ts';

/** Shares of a limit at which it is told, each once until it is below the first again. */
const toldAtPercent = [80, 95, 100] as const;

/** What a server says of its account and its settings, in the words of each of its sessions. Says nothing twice of what it said lately. */
export class ServerNews {
  readonly #told = new Map<string, number>();
  readonly #said = new RecentSet<string>(1000);
  #isReached = false;

  translate(notification: CodexNotification): readonly LiveEvent[] {
    const known = parseNotification(notification);
    switch (known?.method) {
      case 'account/rateLimits/updated': {
        const { limitName, primary, secondary, rateLimitReachedType } = known.params.rateLimits;
        const name = limitName ?? 'Codex';
        return [...this.#window(name, primary), ...this.#window(name, secondary), ...this.#reached(rateLimitReachedType)];
      }
      case 'warning':
        // One that names a thread is for whoever has that one.
        return known.params.threadId === undefined ? this.#once('vendor_warning', known.params.message) : [];
      case 'configWarning': {
        const { summary, details, path } = known.params;
        return this.#once('config_warning', [summary, details, path].filter(Boolean).join(' · '));
      }
      case 'deprecationNotice':
        return this.#once('deprecated', [known.params.summary, known.params.details].filter(Boolean).join(' · '));
      default:
        return [];
    }
  }

  #window(name: string, window: RateLimitWindow | undefined): readonly LiveEvent[] {
    if (!window) return [];
    const { usedPercent, windowDurationMins, resetsAt } = window;
    const span = windowDurationMins === undefined ? '' : ` of ${inWords(windowDurationMins)}`;
    const level = toldAtPercent.findLast((percent) => usedPercent >= percent) ?? 0;
    const before = this.#told.get(span) ?? 0;
    this.#told.set(span, level);
    if (level <= before) return [];
    const percent = Math.round(Math.min(100, usedPercent));
    const reset = resetsAt === undefined || resetsAt < 0 ? {} : { resetsAt: Math.round(resetsAt * 1000) };
    return [{ type: 'quota.warning', message: `${percent} % of the ${name} limit${span} is used`, usedPercent: percent, ...reset }];
  }

  #reached(type: string | undefined): readonly LiveEvent[] {
    const wasReached = this.#isReached;
    this.#isReached = type !== undefined;
    return type === undefined || wasReached
      ? []
      : [{ type: 'quota.warning', message: `A limit of the account is reached: ${type.replaceAll('_', ' ')}` }];
  }

  #once(code: string, message: string): readonly LiveEvent[] {
    if (this.#said.has(message)) return [];
    this.#said.add(message);
    return [{ type: 'agent.error', code, message, willRetry: true }];
  }
}

const inWords = (minutes: number): string =>
  minutes % 1440 === 0 ? `${minutes / 1440} days` : minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`;

/** A session, as the news of its server reach it. */
export interface NewsListener {
  tell(events: readonly LiveEvent[]): void;
  /** Somebody has logged in. */
  accountRefreshed(): void;
}

/** Hands what a server says of no thread in particular to the sessions that it serves. */
export class ServerAudience {
  readonly #listeners = new Set<NewsListener>();
  readonly #news = new ServerNews();

  constructor(notifications: AsyncIterable<CodexNotification>) {
    void this.#read(notifications);
  }

  join(listener: NewsListener): void {
    this.#listeners.add(listener);
  }

  leave(listener: NewsListener): void {
    this.#listeners.delete(listener);
  }

  async #read(notifications: AsyncIterable<CodexNotification>): Promise<void> {
    for await (const notification of notifications) {
      const events = this.#news.translate(notification);
      const known = parseNotification(notification);
      const isLogin = known?.method === 'account/updated' && known.params.authMode !== undefined;
      for (const listener of this.#listeners) {
        if (events.length > 0) listener.tell(events);
        if (isLogin) listener.accountRefreshed();
      }
    }
  }
}
