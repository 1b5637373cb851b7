import { LOOKED_AT_MS } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';

const MOST_PAGES = 1_000;

/** Which pages somebody looks at, as they say themselves and say again. */
export class Lookers {
  readonly #pages = new RecentMap<string, { readonly person: string; readonly until: number }>(MOST_PAGES);

  note(person: string, page: string, { isLookedAt, now }: { readonly isLookedAt: boolean; readonly now: number }): void {
    const key = `${person}\n${page}`;
    if (isLookedAt) this.#pages.set(key, { person, until: now + LOOKED_AT_MS });
    else this.#pages.delete(key);
  }

  isLooking(person: string, now: number): boolean {
    for (const page of this.#pages.values()) if (page.person === person && page.until > now) return true;
    return false;
  }
}
