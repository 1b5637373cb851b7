import type { SessionIdentity } from 'agent-relay-host';
import { type InboxItem, RelayError, readInboxPush, socketMethods, socketNotifications } from 'agent-relay-protocol';
import { backoffDelays, isRetryable, type Log, sleep } from 'agent-relay-wire';
import type { RelayLink } from './relay-link.ts';

export interface InboxSubscriptionsOptions {
  readonly link: RelayLink;
  readonly deliver: (sessionId: string, items: readonly InboxItem[]) => void;
  /** The relay offers this session its mail from now on, and answers which of it may be handed over. */
  readonly onOpen: (sessionId: string) => void;
  /** A newer session has the agent, or the agent is gone. */
  readonly onLost: (sessionId: string, reason: string) => void;
  readonly log: Log;
}

const EARLY_LIMIT = 1000;
/** The most there is: mail for the next turn waits here, and urgent mail must not wait behind it. */
const WINDOW = 1000;

/**
 * The inboxes this node delivers, on one connection. They end with it.
 *
 * An inbox is *asked for* (by `subscribe`, again and again while the relay says that it is taken), then *open* (`has` is true: mail comes, and what
 * may be handed over is answered), and *asked for* again when the relay takes it away; it ends with the connection, or when the relay says that
 * the session is over.
 */
export class InboxSubscriptions {
  readonly #options: InboxSubscriptionsOptions;
  readonly #sessionBySubscription = new Map<string, SessionIdentity>();
  /** A notification can overtake the code that waits for the answer which names its subscription. */
  readonly #early = new Map<string, { readonly method: string; readonly params: unknown }[]>();
  readonly #open = new Set<string>();
  readonly #over = new AbortController();

  constructor(options: InboxSubscriptionsOptions) {
    this.#options = options;
    void options.link.closed.then(() => {
      this.#over.abort();
      this.#open.clear();
    });
  }

  /** Whether this session's inbox is open here. */
  has(sessionId: string): boolean {
    return this.#open.has(sessionId);
  }

  /** Becomes the deliverer; goes on trying while another connection, such as this node's last one, still holds the inbox. */
  async subscribe(session: SessionIdentity): Promise<void> {
    const { link, log, onLost, onOpen } = this.#options;
    const { agentId: id, instanceId, epoch, sessionId } = session;
    for (const delayMs of backoffDelays({ initialMs: 100, maxMs: 5000 })) {
      try {
        const answer = socketMethods['inbox/subscribe'].result.parse(
          await link.request('inbox/subscribe', { id, instanceId, epoch, window: WINDOW }),
        );
        this.#sessionBySubscription.set(answer.subscriptionId, session);
        this.#open.add(sessionId);
        const early = this.#early.get(answer.subscriptionId) ?? [];
        this.#early.delete(answer.subscriptionId);
        for (const { method, params } of early) this.receive(method, params);
        onOpen(sessionId);
        return;
      } catch (error) {
        if (this.#over.signal.aborted) return;
        if (!isRetryable(error)) log.warn('the relay refused an inbox', { sessionId, error });
        if (error instanceof RelayError && isOver(error)) {
          onLost(sessionId, error.message);
          return;
        }
      }
      await sleep(delayMs, { signal: this.#over.signal });
      if (this.#over.signal.aborted) return;
    }
  }

  receive(method: string, params: unknown): void {
    if (method === 'inbox/next') {
      const { subscriptionId, items, unreadable } = readInboxPush(params);
      const session = this.#sessionBySubscription.get(subscriptionId);
      if (session) this.#deliver(session.sessionId, items, unreadable);
      else this.#keepEarly(subscriptionId, method, params);
    } else if (method === 'subscription/ended') {
      const { subscriptionId, code, message } = socketNotifications['subscription/ended'].params.parse(params);
      const session = this.#sessionBySubscription.get(subscriptionId);
      if (!session) this.#keepEarly(subscriptionId, method, params);
      else this.#ended(subscriptionId, session, code, message);
    }
  }

  /** What this version cannot read stays with the relay, which offers it to the node again when it has been updated. */
  #deliver(sessionId: string, items: readonly InboxItem[], unreadable: number): void {
    const { deliver, log } = this.#options;
    if (unreadable > 0) log.warn('mail of a newer relay cannot be read: update this node', { sessionId, pieces: unreadable });
    if (items.length > 0) deliver(sessionId, items);
  }

  #ended(subscriptionId: string, session: SessionIdentity, code: string, message: string): void {
    this.#sessionBySubscription.delete(subscriptionId);
    this.#open.delete(session.sessionId);
    // A relay that slept with this machine may take a session for stale that is not: asking again tells, by the session's own epoch.
    this.#options.log.info('an inbox was taken away', { sessionId: session.sessionId, code, message });
    void this.subscribe(session);
  }

  #keepEarly(subscriptionId: string, method: string, params: unknown): void {
    const early = this.#early.get(subscriptionId) ?? [];
    if (early.length < EARLY_LIMIT) early.push({ method, params });
    this.#early.set(subscriptionId, early);
  }
}

/** A newer session has the agent, or nobody does. Any other refusal may pass: an agent without its inbox would be deaf for good. */
const isOver = ({ code }: RelayError): boolean => code === 'stale_session' || code === 'not_found';
