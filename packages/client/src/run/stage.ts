import { OWNER_AGENT_ID, RELAY_AGENT_ID, type RecordedAgent, RelayError } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { RelayCalls } from '../calls.ts';
import { listAll } from '../list-all.ts';
import type { Difference } from './difference.ts';
import type { NamedInRun } from './named-in.ts';

export interface StageOptions {
  /** As the owner of a relay that knows none of the run's agents. */
  readonly relay: RelayCalls;
  /** How many times as fast as it was; left out, nothing is waited for. */
  readonly speed?: number;
  readonly signal?: AbortSignal;
}

export interface StageParties {
  readonly agents: readonly RecordedAgent[];
  /** Who asks people: such an agent registers as a process of its own. */
  readonly askers: ReadonlySet<string>;
}

const builtIn: ReadonlySet<string> = new Set([OWNER_AGENT_ID, RELAY_AGENT_ID]);
export const isOfEveryRelay = (id: string): boolean => builtIn.has(id);

/** Who holds or asks something says so often that it is there: a relay takes back what somebody has who is silent for two minutes. */
const PRESENCE_MS = 20_000;

/** Where a run is played: its agents come when those came, and its time passes. What the relay refuses is kept as a difference. */
export class Stage {
  readonly relay: RelayCalls;
  readonly differences: Difference[] = [];
  readonly #options: StageOptions;
  readonly #agents: readonly RecordedAgent[];
  readonly #askers: ReadonlySet<string>;
  /** Who has yet to come, the first last. */
  readonly #coming: RecordedAgent[];
  /** How much each agent holds. */
  readonly #holding = new Map<string, number>();
  #at: number | null = null;

  constructor({ agents, askers }: StageParties, options: StageOptions) {
    this.relay = options.relay;
    this.#options = options;
    this.#askers = askers;
    this.#agents = agents.filter(({ id }) => !isOfEveryRelay(id));
    this.#coming = this.#agents.toSorted((one, other) => other.registeredAt - one.registeredAt);
  }

  get call(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }

  /** @throws RelayError `name_taken`. */
  async assertFresh({ ids, sources, reachesGroups }: NamedInRun): Promise<void> {
    const others = (await listAll(this.relay.agents.list, {}, this.call)).data.filter(({ id }) => !isOfEveryRelay(id));
    const taken = others.find(({ id }) => ids.has(id));
    if (taken)
      throw new RelayError('name_taken', `This relay has an agent ${taken.id}: a run is replayed to one that knows none of its agents`);
    const [hearer] = reachesGroups ? others : [];
    if (hearer) throw new RelayError('name_taken', `This relay has an agent ${hearer.id}, whom this run could reach: take one without`);
    const { data } = await listAll(this.relay.integrations.list, {}, this.call);
    const called = data.find(({ name, callbackHost }) => callbackHost !== null && sources.has(name));
    if (called)
      throw new RelayError(
        'name_taken',
        `This relay would call ${called.name} back about tasks of this run: take one that does not know it`,
      );
  }

  /** The time of the run is `at`. */
  async reach(at: number): Promise<void> {
    const { speed = Number.POSITIVE_INFINITY, signal = new AbortController().signal } = this.#options;
    let waitMs = this.#at === null ? 0 : (at - this.#at) / speed;
    this.#at = at;
    while (waitMs >= 1) {
      const stepMs = this.#holding.size === 0 ? waitMs : Math.min(waitMs, PRESENCE_MS);
      await sleep(stepMs, { signal });
      signal.throwIfAborted();
      waitMs -= stepMs;
      if (waitMs >= 1) for (const id of this.#holding.keys()) await this.shows(id);
    }
    signal.throwIfAborted();
  }

  /** Whoever had come by then, for a group reaches who is in it; who acts is there whatever its card says. */
  async arrive(at: number, actor?: string): Promise<void> {
    for (;;) {
      const next = this.#coming.findIndex(({ id, registeredAt }) => registeredAt <= at || id === actor);
      const [agent] = next === -1 ? [] : this.#coming.splice(next, 1);
      if (!agent) return;
      await this.#register(agent);
    }
  }

  /** What a card says of itself the owner has not given. */
  async #register({ id, label, tags, givenTags = [], capabilities, channels }: RecordedAgent): Promise<void> {
    const process = this.#askers.has(id) ? { instanceId: 'replay' } : {};
    const register = () => this.relay.agents.register({ id, name: id, label, tags, capabilities, channels, ...process }, this.call);
    await register();
    const given = givenTags.filter((tag) => tags.includes(tag));
    if (given.length === 0) return;
    await this.relay.agents.tags({ id, tags: given }, this.call);
    if (given.length < tags.length) await register();
  }

  /** It is there now: whoever has been silent for long counts as gone. */
  async shows(id: string): Promise<void> {
    await this.#tried(() => this.relay.agents.heartbeat({ id }, this.call));
  }

  /** Null for what was refused, which is a difference then. @throws what a lost connection says. */
  async attempt<Answer>(act: () => Promise<Answer>, differs: (code: string, reason: string) => Difference): Promise<Answer | null> {
    const answer = await this.#tried(act);
    if (!(answer instanceof RelayError)) return answer;
    this.differences.push(differs(answer.code, answer.message));
    return null;
  }

  /** What is not taken stands otherwise in the end, which is told then. */
  async report(act: () => Promise<unknown>): Promise<void> {
    await this.#tried(act);
  }

  /** Until `letsGo`, it is not to be taken for gone. */
  holds(id: string): void {
    this.#holding.set(id, (this.#holding.get(id) ?? 0) + 1);
  }

  letsGo(id: string): void {
    const left = (this.#holding.get(id) ?? 1) - 1;
    if (left <= 0) this.#holding.delete(id);
    else this.#holding.set(id, left);
  }

  async #tried<Answer>(act: () => Promise<Answer>): Promise<Answer | RelayError> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof RelayError) || error.retryable) throw error;
      return error;
    }
  }
}
