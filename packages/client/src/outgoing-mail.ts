import { type DeliveryReport, type InboxItem, type Message, RelayError } from 'agent-relay-protocol';
import { backoffDelays, isRetryable, RecentMap, sleep } from 'agent-relay-wire';
import type { RelayCalls } from './calls.ts';
import { type InboxOptions, type InboxSource, REMEMBERED } from './inbox.ts';
import { persist } from './persist.ts';

interface Context {
  readonly calls: RelayCalls;
  readonly agent: { readonly id: string; readonly signal: AbortSignal };
  readonly openInbox: InboxSource;
  readonly guard: () => { readonly instanceId: string; readonly epoch: number };
}

interface Place {
  readonly conversationId: string | null;
  readonly replyToExternalId: string | null;
  readonly problem: string | null;
}

/** The relay takes no longer reason. */
const MAX_REASON_LENGTH = 500;

/** A message on its way out through a channel. It stays the channel's until one of `sent` and `failed` has resolved. */
export class OutgoingMail {
  readonly message: Message;
  /** Where it belongs; null when the relay does not know, and `problem` says why. */
  readonly conversationId: string | null;
  /** What the outside calls the message that it answers. */
  readonly replyToExternalId: string | null;
  readonly problem: string | null;
  readonly #context: Context;
  #isSettled = false;

  constructor(message: Message, place: Place, context: Context) {
    this.message = message;
    this.conversationId = place.conversationId;
    this.replyToExternalId = place.replyToExternalId;
    this.problem = place.problem;
    this.#context = context;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * The outside has it, under these names of its parts: answers to them will find this thread, and the receipt says delivered. Asked again
   * while the relay is away.
   */
  async sent(externalIds: readonly string[]): Promise<void> {
    const { calls, agent, guard } = this.#context;
    const { conversationId, message } = this;
    if (externalIds.length > 0) {
      if (conversationId === null) throw new RelayError('unbound_conversation', this.problem ?? 'It belongs to no conversation');
      const links = { messageId: message.id, conversationId, externalIds: [...externalIds] };
      await persist(() => calls.channels.link({ ...links, id: agent.id, ...guard() }), agent.signal);
    }
    await this.#report({ messageId: message.id, state: 'delivered', evidence: 'accepted' });
  }

  /** The outside does not take it: the receipt says failed, and the relay tells the sender. Without a reason it is `problem`. */
  failed(reason: string = this.problem ?? 'The channel gave no reason'): Promise<void> {
    return this.#report({ messageId: this.message.id, state: 'failed', reason: reason.slice(0, MAX_REASON_LENGTH) });
  }

  async #report(report: DeliveryReport): Promise<void> {
    const { calls, agent, guard } = this.#context;
    await persist(() => calls.deliveries.report({ id: agent.id, ...guard(), reports: [report] }), agent.signal);
    this.#isSettled = true;
  }
}

/**
 * A channel's mail, each piece once for each reading: what was left unsettled comes again in the next one, after a restart at the latest. A
 * reader that leaves a whole window unsettled gets the oldest of it again.
 */
export async function* readOutgoing(context: Context, options: InboxOptions & { readonly signal: AbortSignal }) {
  const { window = 64, signal } = options;
  const reading = new Reading(context, window, signal);
  let delays = newDelays();
  while (!signal.aborted) {
    try {
      for await (const items of context.openInbox({ id: context.agent.id, guard: context.guard(), window, signal })) {
        const countBefore = reading.count;
        yield* reading.handOut(items);
        // A poll answers what is unsettled again, at once.
        if (reading.count > countBefore) delays = newDelays();
        else await sleep(delays.next().value, { signal });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isRetryable(error)) throw error;
    }
    await sleep(delays.next().value, { signal });
  }
}

const newDelays = () => backoffDelays({ maxMs: 5_000 });

/** The message with where it belongs; null when it waits no longer. */
async function place(message: Message, context: Context, signal: AbortSignal): Promise<OutgoingMail | null> {
  const { calls, agent } = context;
  try {
    const found = await persist(() => calls.channels.conversation({ id: agent.id, messageId: message.id }), signal);
    return new OutgoingMail(message, { ...found, problem: null }, context);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    if (error.code === 'not_found' || error.code === 'forbidden_target') return null;
    if (error.code !== 'unbound_conversation' && error.code !== 'unsupported') throw error;
    return new OutgoingMail(message, { conversationId: null, replyToExternalId: null, problem: error.message }, context);
  }
}

/** What one reader has been given. */
class Reading {
  count = 0;
  readonly #context: Context;
  readonly #window: number;
  readonly #signal: AbortSignal;
  readonly #given = new RecentMap<number, OutgoingMail>(REMEMBERED);

  constructor(context: Context, window: number, signal: AbortSignal) {
    this.#context = context;
    this.#window = window;
    this.#signal = signal;
  }

  async *handOut(items: readonly InboxItem[]): AsyncGenerator<OutgoingMail, void, undefined> {
    const isFull = items.length >= this.#window && items.every(({ message }) => this.#given.get(message.id)?.isSettled === false);
    for (const { message } of isFull ? items.slice(0, 1) : items) {
      if (this.#given.has(message.id) && !isFull) continue;
      const mail = await place(message, this.#context, this.#signal);
      if (mail === null) continue;
      this.count += 1;
      this.#given.set(message.id, mail);
      yield mail;
    }
  }
}
