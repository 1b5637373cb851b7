import { type Agent, RelayError, type Session } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import { isWoken } from '../../domain/wake.ts';
import type { RelayCore } from '../relay-core.ts';

interface NeverRan extends Pick<Session, 'agentId' | 'instanceId'> {
  readonly workspace: string;
  readonly at: number;
}

/** So long whoever asked for it can see why it did not start, and try again. */
const STAYS_MS = 600_000;
const REMEMBERED = 1_000;

/** Agents whose first start was refused: they have never run, and go after a while. */
export class Unstarted {
  readonly #deps: Pick<RelayCore, 'agents' | 'clock'>;
  readonly #left = new RecentMap<string, NeverRan>(REMEMBERED);

  constructor(deps: Pick<RelayCore, 'agents' | 'clock'>) {
    this.#deps = deps;
  }

  /** Whether nobody has run under this name before, as far as it has a card. */
  isNewcomer(workspace: string, agentId: string, agent: Agent | null): boolean {
    return agent === null || this.#left.get(keyOf(workspace, agentId))?.instanceId === agent.instanceId;
  }

  note(workspace: string, { agentId, instanceId }: Session): void {
    this.#left.set(keyOf(workspace, agentId), { workspace, agentId, instanceId, at: this.#deps.clock.now() });
  }

  async sweep(now: number): Promise<void> {
    for (const [key, left] of this.#left) {
      if (now - left.at < STAYS_MS) continue;
      this.#left.delete(key);
      await this.#forget(left);
    }
  }

  /** It stays where it was started since, somebody has written to it, or mail is to start it. */
  async #forget({ workspace, agentId, instanceId }: NeverRan): Promise<void> {
    const why = { reason: `${agentId} could not be started`, by: null };
    await this.#deps.agents
      .remove(workspace, agentId, why, (agent, facts) => {
        const isStillIt = agent.instanceId === instanceId && agent.status === 'offline';
        const isExpected = facts.waiting.length > 0 || facts.hasBindings || isWoken(facts, agentId);
        if (!isStillIt || isExpected) throw new RelayError('busy', `${agentId} is not to go`);
      })
      .catch((error: unknown) => {
        if (!(error instanceof RelayError) || (error.code !== 'busy' && error.code !== 'not_found')) throw error;
      });
  }
}

const keyOf = (workspace: string, agentId: string): string => `${workspace}\n${agentId}`;
