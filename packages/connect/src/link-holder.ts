import { RelayError } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { RelayLink } from './relay-link.ts';

/** The link as it comes and goes. Set once the relay has accepted this node on it. */
export class LinkHolder {
  #link: RelayLink | null = null;
  readonly #came = new Bell();

  get current(): RelayLink | null {
    return this.#link?.isOpen ? this.#link : null;
  }

  set(link: RelayLink | null): void {
    this.#link = link;
    if (link !== null) this.#came.ring();
  }

  /** @throws RelayError `connection_closed` when there is none now. */
  require(): RelayLink {
    const link = this.current;
    if (link === null) throw new RelayError('connection_closed', 'The relay cannot be reached at the moment');
    return link;
  }

  /** The link, now or within the limit. @throws RelayError `connection_closed`. */
  async wait(limitMs: number): Promise<RelayLink> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), limitMs);
    try {
      while (this.current === null && !over.signal.aborted) await this.#came.next({ signal: over.signal });
      if (this.current === null) throw new RelayError('connection_closed', 'The relay could not be reached');
      return this.current;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether a call was lost with its link: it may have been done. */
export const wasLost = (error: unknown): boolean =>
  error instanceof RelayError && (error.code === 'connection_closed' || error.code === 'timeout');
