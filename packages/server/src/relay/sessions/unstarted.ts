import { isDeepStrictEqual } from 'node:util';
import { type Agent, RelayError } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import type { AgentFacts } from '../../domain/facts.ts';
import { isWoken } from '../../domain/wake.ts';
import type { AgentRegistry } from '../agents/agents.ts';
import type { RelayCore } from '../relay-core.ts';

interface NeverRan {
  readonly workspace: string;
  /** As the refused session left it. */
  readonly card: Agent;
  readonly at: number;
}

export interface UnstartedDeps extends Pick<RelayCore, 'clock' | 'log'> {
  readonly agents: Pick<AgentRegistry, 'remove'>;
}

/** So long whoever asked for it can see why it did not start, and try again. */
const STAYS_MS = 600_000;
const REMEMBERED = 1_000;

/** Agents whose first start was refused: they have never run, and go after a while. */
export class Unstarted {
  readonly #deps: UnstartedDeps;
  readonly #left = new RecentMap<string, NeverRan>(REMEMBERED);

  constructor(deps: UnstartedDeps) {
    this.#deps = deps;
  }

  /** Whether there is no card of this name, or one that nobody has touched since its first start was refused. */
  isNewcomer(workspace: string, agentId: string, facts: Pick<AgentFacts, 'agent' | 'isBound'>): boolean {
    const left = this.#left.get(keyOf(workspace, agentId));
    return facts.agent === null || (left !== undefined && isAsLeft(left, facts));
  }

  note(workspace: string, card: Agent): void {
    this.#left.set(keyOf(workspace, card.id), { workspace, card, at: this.#deps.clock.now() });
  }

  /** Never rejects: who cannot go now goes in a later round. */
  async sweep(now: number): Promise<void> {
    for (const [key, left] of this.#left) {
      if (now - left.at < STAYS_MS) continue;
      try {
        await this.#forget(left);
        // A start that was refused meanwhile has said it anew.
        if (this.#left.get(key) === left) this.#left.delete(key);
      } catch (error) {
        this.#deps.log.warn('an agent that never ran could not be removed', { agentId: left.card.id, error });
      }
    }
  }

  /** It stays where it has been there since, somebody has changed its card, made a token for it or written to it, or mail is to start it. */
  async #forget(left: NeverRan): Promise<void> {
    const { id } = left.card;
    const why = { reason: `${id} could not be started`, by: null };
    await this.#deps.agents
      .remove(left.workspace, id, why, (_agent, facts) => {
        const isExpected = facts.waiting.length > 0 || facts.hasBindings || isWoken(facts, id);
        if (!isAsLeft(left, facts) || isExpected) throw new RelayError('busy', `${id} is not to go`);
      })
      .catch((error: unknown) => {
        if (!(error instanceof RelayError) || (error.code !== 'busy' && error.code !== 'not_found')) throw error;
      });
  }
}

/** When it was last seen counts: a program that registers under the instance that is there leaves no other trace once it is offline. */
const isAsLeft = ({ card }: NeverRan, { agent, isBound }: Pick<AgentFacts, 'agent' | 'isBound'>): boolean =>
  !isBound && card.status === 'offline' && isDeepStrictEqual(card, agent);

const keyOf = (workspace: string, agentId: string): string => `${workspace}\n${agentId}`;
