/** Remembers the newest `limit` values, so that what is compared for a whole session costs bounded memory. */
export class RecentSet<T> {
  readonly #values = new Set<T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(value: T): boolean {
    return this.#values.has(value);
  }

  add(value: T): void {
    this.#values.delete(value);
    this.#values.add(value);
    if (this.#values.size <= this.#limit) return;
    for (const oldest of this.#values) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(value: T): boolean {
    return this.#values.delete(value);
  }

  clear(): void {
    this.#values.clear();
  }
}
