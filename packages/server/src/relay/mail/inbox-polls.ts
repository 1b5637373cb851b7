import { type InboxItem, RelayError } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import type { HandOvers } from './hand-overs.ts';
import type { Inbox, Piece } from './inbox.ts';
import type { PollRequest, TakeRequest } from './inbox-requests.ts';
import { inboxTaken } from './inbox-streams.ts';
import type { InboxSupply } from './inbox-supply.ts';

export interface InboxPollsDeps {
  readonly clock: Clock;
  readonly settings: Pick<RelaySettings, 'staleTtlMs'>;
  readonly handOvers: HandOvers;
  readonly supply: InboxSupply;
}

/** Deliverers that ask for mail: one at a time may wait for each inbox, and what it got is its own until its lease ends. */
export class InboxPolls {
  readonly #deps: InboxPollsDeps;
  #isClosed = false;

  constructor(deps: InboxPollsDeps) {
    this.#deps = deps;
  }

  /**
   * @throws RelayError `inbox_taken` when a stream has the inbox and the caller is not the agent itself, or when a later poll took the place of this
   * one.
   */
  async poll(inbox: Inbox, { limit, waitMs, isOwn, signal }: PollRequest): Promise<readonly InboxItem[]> {
    const { supply, clock, handOvers } = this.#deps;
    if (inbox.stream && !isOwn) throw inboxTaken(inbox);
    inbox.poll?.reject(displaced(inbox));
    inbox.pollLeaseUntil = this.#leaseUntil(isOwn);
    inbox.pollLimit = limit;
    await supply.load(inbox);
    let pieces = signal.aborted ? [] : inbox.takeForPoll(limit, clock.now());
    if (pieces.length === 0 && waitMs > 0) pieces = await this.#awaitFirst(inbox, limit, waitMs, signal);
    for (const piece of pieces) handOvers.note(inbox, piece);
    inbox.lastUsedAt = clock.now();
    return pieces.map((piece) => supply.itemOf(piece));
  }

  /** One piece for its agent, out of turn; null when it waits no more, or has gone to a stream. Null also while too much waits before it. */
  async take(inbox: Inbox, { messageId, isOwn }: TakeRequest): Promise<InboxItem | null> {
    const { supply, clock, handOvers } = this.#deps;
    await supply.load(inbox);
    const now = clock.now();
    inbox.lastUsedAt = now;
    const piece = inbox.takeOne(messageId, now);
    if (!piece) return null;
    inbox.pollLeaseUntil = this.#leaseUntil(isOwn);
    handOvers.note(inbox, piece);
    return supply.itemOf(piece);
  }

  /** From now on no poll waits; those that do are their inboxes' to end. */
  close(): void {
    this.#isClosed = true;
  }

  #leaseUntil(isOwn: boolean): number {
    return isOwn ? Number.POSITIVE_INFINITY : this.#deps.clock.now() + this.#deps.settings.staleTtlMs;
  }

  #awaitFirst(inbox: Inbox, limit: number, waitMs: number, signal: AbortSignal): Promise<readonly Piece[]> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancelTimer();
        signal.removeEventListener('abort', giveUp);
        if (inbox.poll === waiter) inbox.poll = null;
      };
      const finish = (pieces: readonly Piece[]) => {
        leave();
        resolve(pieces);
      };
      const fail = (error: RelayError) => {
        leave();
        reject(error);
      };
      const giveUp = () => finish([]);
      const cancelTimer = this.#deps.clock.schedule(giveUp, waitMs);
      const waiter = { limit, resolve: finish, reject: fail };
      if (signal.aborted || this.#isClosed) {
        giveUp();
        return;
      }
      signal.addEventListener('abort', giveUp, { once: true });
      inbox.poll?.reject(displaced(inbox));
      inbox.poll = waiter;
      this.#deps.supply.advance(inbox);
    });
  }
}

const displaced = ({ agentId }: Inbox): RelayError =>
  new RelayError('inbox_taken', `A later call fetches the mail of ${agentId}: one at a time may wait for it`);
