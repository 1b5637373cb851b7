import { RecentMap } from 'agent-relay-wire';

/** How many copies of a message were pushed into the session and have not come in: more than one where an earlier copy was thought to be lost, and was late. */
export class PushedCopies {
  /** By nonce. */
  readonly #outstanding: RecentMap<string, number>;

  constructor(limit: number) {
    this.#outstanding = new RecentMap(limit);
  }

  pushed(nonce: string): void {
    this.#outstanding.set(nonce, (this.#outstanding.get(nonce) ?? 0) + 1);
  }

  /** Of which messages a copy is in what comes in now. */
  cameIn(text: string): readonly string[] {
    const found = [...this.#outstanding].filter(([nonce]) => text.includes(`${nonce}]`));
    const nonces = found.map(([nonce]) => nonce);
    for (const nonce of nonces) this.gone(nonce);
    return nonces;
  }

  /** The session does not have this copy any more. */
  gone(nonce: string): void {
    const count = this.#outstanding.get(nonce) ?? 0;
    if (count > 1) this.#outstanding.set(nonce, count - 1);
    else this.#outstanding.delete(nonce);
  }
}
