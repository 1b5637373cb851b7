import { ConversationIdSchema, ModelNameSchema, parseInput, RelayError } from 'agent-relay-protocol';
import { z } from 'zod';
import type { AgentSession, StartOptions } from '../contract.ts';
import type { SessionEvents } from '../session-events.ts';

/** A session that its provider keeps an eye on. */
export interface TrackedSession extends AgentSession {
  readonly events: SessionEvents;
}

/** What `start` hands on: the caller's options, and a signal that aborts when the provider is closed as well. */
export type TrackedStart = StartOptions & { readonly signal: AbortSignal };

/** What of a start may become an argument of a program. */
const Named = z.object({ resume: ConversationIdSchema.optional(), model: ModelNameSchema.optional() });

/**
 * The sessions of one provider, from the beginning of their start to their end.
 *
 * States: *open*; *closed* from `close()` on: what is being started is given up, what runs is closed, and nothing starts any more.
 */
export class ProviderSessions<Session extends TrackedSession> {
  readonly #name: string;
  readonly #starts = new Set<Promise<unknown>>();
  readonly #running = new Set<Session>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /** `name` is what people call the provider, as in "The Claude provider has been closed". */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Starts a session. One that is there only after its start was given up is closed again, so that nobody is handed a session that is about to go.
   * @throws RelayError `validation_failed` for a conversation or a model that a program could take for an option; what `begin` throws; the signal's reason; RelayError `connection_closed` when the provider has been closed, also meanwhile.
   */
  async start(options: StartOptions, begin: (options: TrackedStart) => Promise<Session>): Promise<Session> {
    parseInput(Named, options);
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
    signal.throwIfAborted();
    const starting = this.#start({ ...options, signal }, begin);
    this.#starts.add(starting);
    try {
      return await starting;
    } finally {
      this.#starts.delete(starting);
    }
  }

  /**
   * Resolves when every start has settled and every session is closed. Idempotent.
   * @throws the first of what sessions failed to close with, once all have been asked to.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #start(options: TrackedStart, begin: (options: TrackedStart) => Promise<Session>): Promise<Session> {
    const session = await begin(options);
    if (options.signal.aborted) {
      await session.close();
      throw options.signal.reason;
    }
    this.#running.add(session);
    void this.#forgetWhenGone(session);
    return session;
  }

  /** One that ended by itself is closed as well: until then what is its own may still be there. */
  async #forgetWhenGone(session: Session): Promise<void> {
    await session.events.ended;
    // Whoever closes it hears of a failure.
    await session.close().catch(() => {});
    this.#running.delete(session);
  }

  async #close(): Promise<void> {
    this.#closing.abort(new RelayError('connection_closed', `The ${this.#name} provider has been closed`));
    await Promise.allSettled(this.#starts);
    const closings = await Promise.allSettled([...this.#running].map((session) => session.close()));
    const failed = closings.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}
