import {
  type Delivery,
  type DeliveryState,
  type Message,
  RELAY_AGENT_ID,
  RelayError,
  type RouteOutput,
  type RouteRequest,
} from 'agent-relay-protocol';
import { listAll } from '../list-all.ts';
import type { Difference } from './difference.ts';
import { isOfEveryRelay, type Stage } from './stage.ts';

export interface SaidOtherwise {
  /** Messages that come of a report. */
  readonly offers: ReadonlySet<number>;
  /** Work whose result the relay itself tells to whoever offered it. */
  readonly finished: ReadonlySet<number>;
  /** Pairs, by the message that invites. */
  readonly pairs: ReadonlySet<number>;
}

/** Says what was said, in the same threads, and reports what was reported. */
export class MessagePlayer {
  readonly #stage: Stage;
  readonly #otherwise: SaidOtherwise;
  /** What each recorded message is here. */
  readonly #played = new Map<number, number>();
  /** What the relay is to say when work ends. */
  readonly #results = new Map<number, Message>();

  constructor(stage: Stage, otherwise: SaidOtherwise) {
    this.#stage = stage;
    this.#otherwise = otherwise;
  }

  get count(): number {
    return this.#played.size;
  }

  async say(message: Message): Promise<void> {
    const { offers, pairs } = this.#otherwise;
    if (message.from === RELAY_AGENT_ID || message.body === '' || offers.has(message.id) || pairs.has(message.id)) return;
    const { createdAt, from } = message;
    await this.#stage.reach(createdAt);
    await this.#stage.arrive(createdAt, from);
    if (this.#isResult(message)) {
      this.#results.set(message.id, message);
      return;
    }
    const sent = await this.#stage.attempt(
      () => this.#send(message),
      (code, reason) => ({ type: 'refused', messageId: message.id, code, reason }),
    );
    if (sent) this.#played.set(message.id, sent.id);
  }

  /** The message that offers a task has come of a report, and one that invites of a pair. */
  isPlayed(recorded: number, id: number): void {
    this.#played.set(recorded, id);
  }

  /** What a recorded message is here; undefined where it was refused. */
  async idOf(recorded: number): Promise<number | undefined> {
    const result = this.#results.get(recorded);
    if (result && !this.#played.has(recorded)) {
      const found = await this.#findResult(result);
      if (found !== undefined) this.#played.set(recorded, found);
    }
    return this.#played.get(recorded);
  }

  /** An answer moves its copy by itself, and what only waited is left to wait. */
  async report({ messageId, agentId, state, evidence, reason }: Delivery): Promise<void> {
    if (isOfEveryRelay(agentId) || evidence === 'reply' || state === 'queued' || state === 'expired') return;
    const id = await this.idOf(messageId);
    if (id === undefined) return;
    const report = { messageId: id, state, ...(evidence === null ? {} : { evidence }), ...(reason === null ? {} : { reason }) };
    await this.#stage.report(() => this.#stage.relay.deliveries.report({ id: agentId, reports: [report] }, this.#stage.call));
  }

  async compare(receipts: readonly Delivery[]): Promise<void> {
    const { differences, relay, call } = this.#stage;
    for (const messageId of this.#results.keys())
      if ((await this.idOf(messageId)) === undefined)
        differences.push({ type: 'refused', messageId, code: 'not_found', reason: 'The relay told no result of this work' });
    const recorded = new Map<number, Map<string, DeliveryState>>();
    for (const { messageId, agentId, state } of receipts)
      if (!isOfEveryRelay(agentId)) recorded.set(messageId, (recorded.get(messageId) ?? new Map()).set(agentId, state));
    for (const [messageId, id] of this.#played) {
      const { data } = await listAll(relay.messages.deliveries, { id }, call);
      const replayed = new Map(data.filter(({ agentId }) => !isOfEveryRelay(agentId)).map(({ agentId, state }) => [agentId, state]));
      differences.push(...differencesOf(messageId, recorded.get(messageId) ?? new Map(), replayed));
    }
  }

  /** What was said in a pair is said in that pair. */
  async #send(message: Message): Promise<{ readonly id: number }> {
    const { relay, call } = this.#stage;
    const { threadId, meta, from, body, mode } = message;
    if (!this.#otherwise.pairs.has(threadId) || meta?.['pairId'] !== threadId)
      return relay.messages.send(await this.#asSaid(message), call);
    const id = this.#played.get(threadId);
    if (id === undefined) throw new RelayError('not_found', `Pair ${threadId} is not there`);
    const replyTo = message.replyTo === null ? undefined : await this.idOf(message.replyTo);
    return relay.pairs.send({ id, from, body, mode, ...(replyTo === undefined ? {} : { replyTo }) }, call);
  }

  #isResult({ kind, replyTo, payload }: Message): boolean {
    return kind === 'result' && payload?.['type'] === 'claim.completed' && replyTo !== null && this.#otherwise.finished.has(replyTo);
  }

  async #findResult({ from, replyTo }: Message): Promise<number | undefined> {
    const offer = replyTo === null ? undefined : this.#played.get(replyTo);
    if (offer === undefined) return undefined;
    for (let after: number | undefined = offer; after !== undefined; ) {
      const page: RouteOutput<'messages/list'> = await this.#stage.relay.messages.list({ from, after }, this.#stage.call);
      const told = page.data.find((message) => message.kind === 'result' && message.replyTo === offer);
      if (told) return told.id;
      after = page.nextCursor;
    }
    return undefined;
  }

  async #asSaid(message: Message): Promise<RouteRequest<'messages/send'>> {
    const { from, to, body, subject, channel, kind, claimable, mode, payload, meta, expects, traceparent, tracestate } = message;
    const replyTo = message.replyTo === null ? undefined : await this.idOf(message.replyTo);
    return {
      from,
      to,
      body,
      kind,
      claimable,
      mode,
      ...(subject === null ? {} : { subject }),
      ...(channel === null ? {} : { channel }),
      ...(payload === null ? {} : { payload }),
      ...(meta === null ? {} : { meta }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(expects === undefined ? {} : { expects }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { tracestate }),
    };
  }
}

/** What has not been confirmed waits, however: time, and who stands there, are others. */
const standing = (state: DeliveryState | undefined): DeliveryState | null => {
  if (state === undefined) return null;
  return state === 'dispatched' || state === 'expired' ? 'queued' : state;
};

function differencesOf(
  messageId: number,
  recorded: ReadonlyMap<string, DeliveryState>,
  replayed: ReadonlyMap<string, DeliveryState>,
): Difference[] {
  return [...new Set([...recorded.keys(), ...replayed.keys()])].flatMap((agentId) => {
    const [before, now] = [standing(recorded.get(agentId)), standing(replayed.get(agentId))];
    return before === now ? [] : [{ type: 'receipt' as const, messageId, agentId, recorded: before, replayed: now }];
  });
}
