import type { Pair } from 'agent-relay-protocol';
import type { PlayedAct } from './difference.ts';
import type { MessagePlayer } from './play-messages.ts';
import type { Stage } from './stage.ts';

interface PlayedPair {
  readonly id: number;
  readonly recorded: Pair;
}

/** Invites, accepts, declines and hangs up as the agents of a run did; what they say to each other in a pair is the messages' part. */
export class PairPlayer {
  readonly #stage: Stage;
  readonly #messages: MessagePlayer;
  readonly #pairs = new Map<number, PlayedPair>();

  constructor(stage: Stage, messages: MessagePlayer) {
    this.#stage = stage;
    this.#messages = messages;
  }

  get count(): number {
    return this.#pairs.size;
  }

  async invite(pair: Pair): Promise<void> {
    const { id, requester, target, objective, requestedAt } = pair;
    const { relay, call } = this.#stage;
    await this.#stage.reach(requestedAt);
    for (const side of [requester, target]) {
      await this.#stage.arrive(requestedAt, side);
      await this.#stage.shows(side);
    }
    const invitation = { from: requester, target: `id:${target}`, objective };
    const made = await this.#attempt(pair, { act: 'invite', agentId: requester }, () => relay.pairs.request(invitation, call));
    if (!made) return;
    // A pair has the number of its invitation.
    this.#messages.isPlayed(id, made.id);
    this.#pairs.set(id, { id: made.id, recorded: pair });
    for (const side of [requester, target]) this.#stage.holds(side);
  }

  async accept(pair: Pair): Promise<void> {
    const acceptedAt = acceptedAtOf(pair);
    const here = this.#pairs.get(pair.id);
    if (acceptedAt === null || !here) return;
    await this.#stage.reach(acceptedAt);
    const { relay, call } = this.#stage;
    const { target: agentId } = pair;
    await this.#attempt(pair, { act: 'accept', agentId }, () => relay.pairs.accept({ id: here.id, agentId }, call));
  }

  /** Whoever went away hangs up. */
  async finish(pair: Pair): Promise<void> {
    const here = this.#pairs.get(pair.id);
    if (!here || (pair.status !== 'rejected' && pair.status !== 'ended')) return;
    await this.#stage.reach(pair.endedAt);
    const { relay, call } = this.#stage;
    const { requester, target, reason } = pair;
    const over = { id: here.id, ...(reason === null ? {} : { reason }) };
    if (pair.status === 'rejected')
      await this.#attempt(pair, { act: 'decline', agentId: target }, () => relay.pairs.reject({ ...over, agentId: target }, call));
    else {
      const { endedBy } = pair;
      const who = endedBy === requester || endedBy === target ? { agentId: endedBy } : {};
      await this.#attempt(pair, { act: 'hang_up', agentId: endedBy }, () => relay.pairs.hangup({ ...over, ...who }, call));
    }
    for (const side of [requester, target]) this.#stage.letsGo(side);
  }

  async compare(): Promise<void> {
    const { relay, call, differences } = this.#stage;
    for (const [pairId, { id, recorded: pair }] of this.#pairs) {
      const [recorded, replayed] = [pair.status, (await relay.pairs.get({ id }, call)).status];
      if (recorded !== replayed) differences.push({ type: 'pair', pairId, recorded, replayed });
    }
  }

  #attempt<Answer>(
    { id }: Pair,
    who: { readonly act: PlayedAct; readonly agentId: string },
    run: () => Promise<Answer>,
  ): Promise<Answer | null> {
    return this.#stage.attempt(run, (code, reason) => ({ type: 'act_refused', ...who, subject: String(id), code, reason }));
  }
}

/** Null where nobody accepted it. */
export const acceptedAtOf = (pair: Pair): number | null => ('acceptedAt' in pair ? pair.acceptedAt : null);
