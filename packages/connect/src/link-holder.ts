import { RelayError } from 'agent-relay-protocol';
import type { RelayLink } from './relay-link.ts';

/** The link as it comes and goes. Set once the relay has accepted this node on it. */
export class LinkHolder {
  #link: RelayLink | null = null;
  readonly #waiters = new Set<(link: RelayLink) => void>();

  get current(): RelayLink | null {
    return this.#link?.isOpen ? this.#link : null;
  }

  set(link: RelayLink | null): void {
    this.#link = link;
    if (link === null) return;
    for (const waiter of this.#waiters) waiter(link);
    this.#waiters.clear();
  }

  /** @throws RelayError `connection_closed` when there is none now. */
  require(): RelayLink {
    const link = this.current;
    if (link === null) throw new RelayError('connection_closed', 'The relay cannot be reached at the moment');
    return link;
  }

  /** The link, now or within the limit. @throws RelayError `connection_closed`. */
  wait(limitMs: number): Promise<RelayLink> {
    const link = this.current;
    if (link !== null) return Promise.resolve(link);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new RelayError('connection_closed', 'The relay could not be reached'));
      }, limitMs);
      const waiter = (found: RelayLink) => {
        clearTimeout(timer);
        resolve(found);
      };
      this.#waiters.add(waiter);
    });
  }
}

/** Whether a call was lost with its link: it may have been done. */
export const wasLost = (error: unknown): boolean =>
  error instanceof RelayError && (error.code === 'connection_closed' || error.code === 'timeout');
