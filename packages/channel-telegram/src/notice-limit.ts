export interface NoticeLimitOptions {
  readonly clock: { now(): number };
  /** How long a chat that was told something is not told it again. */
  readonly intervalMs: number;
  /** How many chats may be told within one interval. */
  readonly chats: number;
}

/** Keeps a courtesy from becoming a nuisance: once per chat and interval, and to no more chats than are remembered. */
export class NoticeLimit {
  readonly #options: NoticeLimitOptions;
  readonly #toldAt = new Map<number, number>();

  constructor(options: NoticeLimitOptions) {
    this.#options = options;
  }

  /** Whether to tell this chat now; true counts as told. */
  allows(chatId: number): boolean {
    const { clock, intervalMs, chats } = this.#options;
    const now = clock.now();
    for (const [id, toldAt] of this.#toldAt) {
      if (toldAt + intervalMs > now) break;
      this.#toldAt.delete(id);
    }
    if (this.#toldAt.has(chatId) || this.#toldAt.size >= chats) return false;
    this.#toldAt.set(chatId, now);
    return true;
  }
}
