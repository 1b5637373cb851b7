/**
 * What is remembered under at most so many names; those that nothing was said of for longest are forgotten first. What is changed inside a turn of
 * writes is undone with it.
 */
export class TurnMap<Value> {
  readonly #most: number;
  readonly #values = new Map<string, Value>();
  /** As it was before the turn that is being decided. */
  readonly #before = new Map<string, Value | undefined>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** Undefined forgets it. */
  set(key: string, value: Value | undefined): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#values.get(key));
    this.#put(key, value);
  }

  committed(): void {
    this.#before.clear();
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#most) break;
      this.#values.delete(oldest);
    }
  }

  rolledBack(): void {
    for (const [key, before] of this.#before) this.#put(key, before);
    this.#before.clear();
  }

  #put(key: string, value: Value | undefined): void {
    this.#values.delete(key);
    if (value !== undefined) this.#values.set(key, value);
  }
}
