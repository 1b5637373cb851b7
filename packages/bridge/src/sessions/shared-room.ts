/** Something that keeps more than it must. */
export interface Keeper {
  /** Lets go of about so many characters, the oldest first; answers how many went. */
  give(characters: number): number;
}

/** Bounds what several keep together: when it is too much, the one that was written to longest ago gives first. */
export class SharedRoom {
  readonly #limit: number;
  readonly #kept = new Map<Keeper, number>();
  #total = 0;

  /** In characters. */
  constructor(limit = 64 << 20) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  /** Says what a keeper has now that it took something, or let something go. */
  weigh(keeper: Keeper, characters: number): void {
    this.#total += characters - (this.#kept.get(keeper) ?? 0);
    this.#kept.delete(keeper);
    if (characters > 0) this.#kept.set(keeper, characters);
    // More than is needed, so that the next few cost nothing.
    const target = this.#total > this.#limit ? this.#limit - this.#limit / 16 : this.#limit;
    for (const [each, kept] of this.#kept) {
      if (this.#total <= target) return;
      const given = each.give(this.#total - target);
      this.#kept.set(each, kept - given);
      this.#total -= given;
    }
  }

  leave(keeper: Keeper): void {
    this.weigh(keeper, 0);
  }
}
