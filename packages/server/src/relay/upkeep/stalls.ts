import type { Agent } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isBuiltIn } from '../../domain/membership.ts';
import { beginStall, endStall, mailStall, type UntakenMail } from '../../domain/stall.ts';
import type { Store } from '../../store/store.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';

export interface StallsDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries'>;
  readonly clock: Clock;
  readonly settings: Pick<RelaySettings, 'stalledAfterMs'>;
}

/** Looks for agents that are there and do not fetch their mail. What they do from then on ends it in its own commit; what became of the mail, here. */
export class Stalls {
  readonly #deps: StallsDeps;
  /** When each was last found to have stalled. */
  readonly #foundAt = new Map<string, number>();

  constructor(deps: StallsDeps) {
    this.#deps = deps;
  }

  async sweep(): Promise<void> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    const known = new Set<string>();
    for (const workspace of [...store.agents.index.workspaces()]) {
      for (const { agent } of [...store.agents.index.in(workspace).agents()]) {
        if (!agent || isBuiltIn(agent.id)) continue;
        known.add(keyOf(workspace, agent.id));
        if (agent.stalled?.cause !== 'turn') await this.#judge(workspace, agent, now);
      }
    }
    for (const key of this.#foundAt.keys()) if (!known.has(key)) this.#foundAt.delete(key);
  }

  async #judge(workspace: string, { id, ...agent }: Agent, now: number): Promise<void> {
    const { agents } = this.#deps.store;
    const key = keyOf(workspace, id);
    if (agent.stalled === undefined && this.#isSpared(key, now)) return;
    const untaken = await this.#untaken(workspace, { id, ...agent }, now);
    if (untaken === null) {
      if (agent.stalled) await agents.change(workspace, id, (facts) => endStall(facts.agent, 'mail', now));
      return;
    }
    this.#foundAt.set(key, now);
    if (agent.stalled) return;
    await agents.change(workspace, id, (facts) => beginStall(facts.agent, mailStall(untaken), untaken.waiting, now));
  }

  /** Who has just gone on with some of its mail has time for the rest. */
  #isSpared(key: string, now: number): boolean {
    const foundAt = this.#foundAt.get(key);
    if (foundAt === undefined) return false;
    if (now - foundAt < this.#deps.settings.stalledAfterMs) return true;
    this.#foundAt.delete(key);
    return false;
  }

  async #untaken(workspace: string, agent: Agent, now: number): Promise<UntakenMail | null> {
    const { store, settings } = this.#deps;
    // What waits for a hosted agent's turn to end waits as it should.
    const isInTurn = agent.sessionId !== null && agent.status === 'busy';
    if (isInTurn || agent.status === 'offline') return null;
    const waiting = await store.deliveries.untouched(workspace, agent.id, COUNTED);
    const [oldestAt] = waiting;
    return oldestAt === undefined || now - oldestAt < settings.stalledAfterMs ? null : { waiting: waiting.length, oldestAt };
  }
}

const COUNTED = 1_000;

const keyOf = (workspace: string, id: string): string => `${workspace}\n${id}`;
