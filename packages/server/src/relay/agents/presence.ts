import { asText } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isWorthWriting } from '../../domain/presence.ts';
import type { Logger } from '../../logger.ts';
import type { Store } from '../../store/store.ts';
import type { RelaySettings } from '../contract/relay-settings.ts';
import type { AgentRegistry } from './agents.ts';

export interface PresenceDeps {
  readonly store: Pick<Store, 'agents'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Pick<RelaySettings, 'staleTtlMs'>;
  readonly agents: Pick<AgentRegistry, 'heard'>;
}

interface Heard {
  at: number;
  /** Calls and subscriptions of the agent that go on. */
  open: number;
  isWriting: boolean;
}

/**
 * When agents were last heard of, beside their heartbeats: whatever is done in an agent's name says that it is there. Memory has the exact time;
 * the card is written a few times in each stale period only, because a busy agent acts a thousand times in it.
 */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #heard = new Map<string, Map<string, Heard>>();
  readonly #writes = new Set<Promise<void>>();
  #isClosed = false;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  /** The agent has acted. */
  note(workspace: string, agentId: string): void {
    const agent = this.#agent(workspace, agentId);
    if (!agent) return;
    const { clock, settings } = this.#deps;
    const heard = this.#of(workspace, agentId);
    heard.at = clock.now();
    if (!heard.isWriting && isWorthWriting(agent, heard.at, settings.staleTtlMs)) this.#write(workspace, agentId, heard);
  }

  /** Something of the agent's begins that lasts, such as a poll that waits; it is there until the answer has been called. */
  begin(workspace: string, agentId: string): () => void {
    const heard = this.#of(workspace, agentId);
    heard.open += 1;
    return () => {
      heard.open -= 1;
      if (heard.open === 0 && heard.at === 0) this.#heard.get(workspace)?.delete(agentId);
    };
  }

  /** When the agent was last heard of by what it did; 0 when that is not known any more. Looks at memory alone, and changes nothing. */
  heardAt(workspace: string, agentId: string): number {
    const heard = this.#heard.get(workspace)?.get(agentId);
    if (!heard) return 0;
    return heard.open > 0 ? this.#deps.clock.now() : heard.at;
  }

  /** Whoever has something open is there: notes it. */
  noteOpen(workspace: string, agentId: string): void {
    if ((this.#heard.get(workspace)?.get(agentId)?.open ?? 0) > 0) this.note(workspace, agentId);
  }

  /** Forgets whom it has not heard of for a stale period. */
  sweep(): void {
    const before = this.#deps.clock.now() - this.#deps.settings.staleTtlMs;
    for (const [workspace, agents] of this.#heard) {
      for (const [agentId, { at, open, isWriting }] of agents) if (at < before && open === 0 && !isWriting) agents.delete(agentId);
      if (agents.size === 0) this.#heard.delete(workspace);
    }
  }

  /** Nobody was heard of later than now, whatever the clock said then. */
  timeMoved(now: number): void {
    for (const agents of this.#heard.values()) for (const heard of agents.values()) heard.at = Math.min(heard.at, now);
  }

  /** Waits for what is being written; writes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#writes);
  }

  #write(workspace: string, agentId: string, heard: Heard): void {
    if (this.#isClosed) return;
    heard.isWriting = true;
    const writing = this.#deps.agents
      .heard(workspace, agentId)
      .catch((error: unknown) => this.#deps.log.warn('presence could not be written', { agentId, error: asText(error) }))
      .finally(() => {
        heard.isWriting = false;
        this.#writes.delete(writing);
      });
    this.#writes.add(writing);
  }

  #of(workspace: string, agentId: string): Heard {
    let agents = this.#heard.get(workspace);
    if (!agents) {
      agents = new Map();
      this.#heard.set(workspace, agents);
    }
    let heard = agents.get(agentId);
    if (!heard) {
      heard = { at: 0, open: 0, isWriting: false };
      agents.set(agentId, heard);
    }
    return heard;
  }

  #agent(workspace: string, agentId: string) {
    return this.#deps.store.agents.index.in(workspace).find(agentId)?.agent ?? null;
  }
}
