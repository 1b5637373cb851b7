import { type Dialled, RelayError } from 'agent-relay-protocol';
import type { DialIn, DialledLink } from 'agent-relay-provider';
import { AsyncQueue, type MessageDuplex } from 'agent-relay-wire';

/** Links that wait while the one before is being greeted; a program that dials faster than that is told to come again. */
const LINKS_WAITING = 8;

/** Fetches at the relay the links of programs that dialled in, for as long as their sessions last. */
export class DialledSessions {
  readonly #fetch: (linkId: string) => Promise<MessageDuplex>;
  readonly #links = new Map<string, AsyncQueue<DialledLink>>();

  constructor(fetch: (linkId: string) => Promise<MessageDuplex>) {
    this.#fetch = fetch;
  }

  /** The first link of a session that is about to start. @throws RelayError what the relay refused it with, `connection_closed`. */
  async begin(sessionId: string, dialled: Dialled): Promise<Pick<DialIn, 'links'>> {
    const links = new AsyncQueue<DialledLink>({ limit: LINKS_WAITING, overflow: 'reject' });
    this.#links.set(sessionId, links);
    try {
      await this.again(sessionId, dialled);
    } catch (error) {
      this.end(sessionId);
      throw error;
    }
    return { links };
  }

  /** A further link. @throws RelayError `name_taken` for a session that nobody dialled into, what the relay refused it with, `connection_closed`. */
  async again(sessionId: string, { linkId, url, lastRequestId, byCode = false }: Dialled): Promise<void> {
    if (!this.#links.has(sessionId)) throw new RelayError('name_taken', 'An agent that was started here has this name already');
    const duplex = await this.#fetch(linkId);
    const headers = lastRequestId === undefined ? {} : { 'x-last-request-id': lastRequestId };
    if (this.#links.get(sessionId)?.push({ duplex, upgrade: { url, headers }, byCode }) !== true)
      await duplex.close({ code: 1013, reason: 'try again' });
  }

  /** The session is over, or did not begin. */
  end(sessionId: string): void {
    this.#links.get(sessionId)?.end();
    this.#links.delete(sessionId);
  }
}
