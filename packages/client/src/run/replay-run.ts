import {
  type Delivery,
  type DeliveryState,
  type Message,
  OWNER_AGENT_ID,
  RELAY_AGENT_ID,
  type RecordedAgent,
  RelayError,
  type RouteRequest,
  type RunRecord,
} from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { RelayCalls } from '../calls.ts';
import { listAll } from '../list-all.ts';

export interface ReplayOptions {
  /** As the owner of a relay that knows none of the run's agents. */
  readonly relay: RelayCalls;
  /** How many times as fast as it was; left out, nothing is waited for. */
  readonly speed?: number;
  readonly signal?: AbortSignal;
}

/** Where a replay came to another outcome than the run; ids are those of the recorded messages. */
export type Difference =
  | { readonly type: 'refused'; readonly messageId: number; readonly code: string; readonly reason: string }
  /** Null where the run, or its replay, had no such recipient. */
  | {
      readonly type: 'receipt';
      readonly messageId: number;
      readonly agentId: string;
      readonly recorded: DeliveryState | null;
      readonly replayed: DeliveryState | null;
    };

export interface Replayed {
  /** How many messages were played. */
  readonly messages: number;
  readonly differences: readonly Difference[];
}

/**
 * Plays a recorded run to a relay: agents that stand for the run's are registered when those were, say what those said, and report what those reported.
 * What the relay makes of it, who receives what and how far, is compared with the run. Claims, tasks and activity are not played, nor what the
 * relay itself said. @throws RelayError `name_taken` before anything is said, where the relay knows one of the agents; what a lost connection says.
 */
export async function replayRun(records: readonly RunRecord[], options: ReplayOptions): Promise<Replayed> {
  const [run] = records;
  if (run?.type !== 'run') throw new RelayError('validation_failed', 'A recorded run begins with who took part in it');
  const player = new Player(run.agents, options);
  await player.assertFresh();
  for (const record of records) {
    if (record.type === 'message') await player.say(record.message);
    else if (record.type === 'receipt') await player.report(record.receipt);
  }
  return player.compare(records);
}

const builtIn: ReadonlySet<string> = new Set([OWNER_AGENT_ID, RELAY_AGENT_ID]);

class Player {
  readonly #options: ReplayOptions;
  /** Who has yet to come, the first last. */
  readonly #coming: RecordedAgent[];
  readonly #agents: readonly RecordedAgent[];
  /** What each recorded message is here. */
  readonly #played = new Map<number, number>();
  readonly #differences: Difference[] = [];
  #at: number | null = null;

  constructor(agents: readonly RecordedAgent[], options: ReplayOptions) {
    this.#options = options;
    this.#agents = agents.filter(({ id }) => !builtIn.has(id));
    this.#coming = this.#agents.toSorted((one, other) => other.registeredAt - one.registeredAt);
  }

  async assertFresh(): Promise<void> {
    const { data } = await listAll(this.#options.relay.agents.list, {}, this.#call);
    const taken = data.find(({ id }) => this.#agents.some((agent) => agent.id === id));
    if (taken)
      throw new RelayError('name_taken', `This relay has an agent ${taken.id}: a run is replayed to one that knows none of its agents`);
  }

  async say(message: Message): Promise<void> {
    if (message.from === RELAY_AGENT_ID || message.body === '') return;
    await this.#reach(message.createdAt);
    await this.#register(message.createdAt, message.from);
    try {
      const { id } = await this.#options.relay.messages.send(this.#asSaid(message), this.#call);
      this.#played.set(message.id, id);
    } catch (error) {
      if (!(error instanceof RelayError) || error.retryable) throw error;
      this.#differences.push({ type: 'refused', messageId: message.id, code: error.code, reason: error.message });
    }
  }

  /** An answer moves its copy by itself, and what only waited is left to wait. */
  async report({ messageId, agentId, state, evidence, reason }: Delivery): Promise<void> {
    const id = this.#played.get(messageId);
    if (id === undefined || builtIn.has(agentId) || evidence === 'reply' || state === 'queued' || state === 'expired') return;
    const report = { messageId: id, state, ...(evidence === null ? {} : { evidence }), ...(reason === null ? {} : { reason }) };
    try {
      await this.#options.relay.deliveries.report({ id: agentId, reports: [report] }, this.#call);
    } catch (error) {
      // What is not taken stands otherwise in the end, which is told then.
      if (!(error instanceof RelayError) || error.retryable) throw error;
    }
  }

  async compare(records: readonly RunRecord[]): Promise<Replayed> {
    const recorded = new Map<number, Map<string, DeliveryState>>();
    for (const record of records) {
      if (record.type !== 'receipt' || builtIn.has(record.receipt.agentId)) continue;
      const { messageId, agentId, state } = record.receipt;
      recorded.set(messageId, (recorded.get(messageId) ?? new Map()).set(agentId, state));
    }
    for (const [messageId, id] of this.#played) {
      const { data } = await listAll(this.#options.relay.messages.deliveries, { id }, this.#call);
      const replayed = new Map(data.filter(({ agentId }) => !builtIn.has(agentId)).map(({ agentId, state }) => [agentId, state]));
      this.#differences.push(...differencesOf(messageId, recorded.get(messageId) ?? new Map(), replayed));
    }
    return { messages: this.#played.size, differences: this.#differences };
  }

  get #call(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }

  async #reach(at: number): Promise<void> {
    const { speed = Number.POSITIVE_INFINITY, signal } = this.#options;
    const waitMs = this.#at === null ? 0 : (at - this.#at) / speed;
    this.#at = at;
    if (waitMs >= 1) await sleep(waitMs, { signal: signal ?? new AbortController().signal });
    signal?.throwIfAborted();
  }

  /** Whoever had come by then, for a group reaches who is in it; a speaker is there whatever its card says. */
  async #register(at: number, speaker: string): Promise<void> {
    for (;;) {
      const next = this.#coming.findIndex(({ id, registeredAt }) => registeredAt <= at || id === speaker);
      const [agent] = next === -1 ? [] : this.#coming.splice(next, 1);
      if (!agent) return;
      const { id, label, tags, capabilities, channels } = agent;
      await this.#options.relay.agents.register({ id, name: id, label, tags, capabilities, channels }, this.#call);
    }
  }

  #asSaid(message: Message): RouteRequest<'messages/send'> {
    const { from, to, body, subject, channel, kind, claimable, mode, payload, meta, expects, traceparent, tracestate } = message;
    const replyTo = message.replyTo === null ? undefined : this.#played.get(message.replyTo);
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
