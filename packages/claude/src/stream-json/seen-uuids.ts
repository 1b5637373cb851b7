/** Knows which frames have come already: a reconnecting CLI repeats up to a thousand, so the newest few thousand are remembered. */
export class SeenUuids {
  readonly #uuids = new Set<string>();
  readonly #limit: number;

  constructor(limit = 8192) {
    this.#limit = limit;
  }

  isNew(uuid: string): boolean {
    if (this.#uuids.has(uuid)) return false;
    this.#uuids.add(uuid);
    for (const oldest of this.#uuids) {
      if (this.#uuids.size <= this.#limit) break;
      this.#uuids.delete(oldest);
    }
    return true;
  }
}
