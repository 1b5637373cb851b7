import type { SessionEnd, SessionIdentity } from 'agent-relay-host';
import { RelayError } from 'agent-relay-protocol';
import { backoffDelays, isRetryable, type Log, sleep } from 'agent-relay-wire';
import { isStartOf, type KeptStart } from './kept-start.ts';
import { type LinkHolder, wasLost } from './link-holder.ts';
import type { KeptAgent } from './owner/node-file.ts';
import type { Owner } from './owner/owner.ts';

export interface KeptAgentsOptions {
  readonly links: LinkHolder;
  readonly owner: Owner;
  readonly log: Log;
  readonly clock: { now(): number };
  /** The relay knows what is over. */
  readonly isSettled: () => boolean;
  readonly isRunning: (agentId: string) => boolean;
  /** Where fresh folders are made. */
  readonly workspacesFolder: string;
  /** Ended when the machine leaves. */
  readonly signal: AbortSignal;
}

/** One that lived for so long did not fail at its start. */
const LIVED_MS = 600_000;
const LINK_WAIT_MS = 60_000;

/**
 * Starts the agents that this machine's owner wants to live here: once when the machine has attached for the first time, and again when one of them fails. One
 * that somebody released stays away until relay-connect starts anew.
 */
export class KeptAgents {
  readonly #options: KeptAgentsOptions;
  readonly #inHand = new Map<string, KeptAgent>();
  /** Whose start was lost with the link before it was answered: the relay may have given them up. */
  readonly #unanswered = new Set<string>();
  /** What ended before its start was over here. */
  readonly #endedInHand = new Map<string, SessionEnd>();
  readonly #failed = new Map<string, { readonly delays: Iterator<number, void>; readonly at: number }>();
  #nodeId: string | null = null;

  constructor(options: KeptAgentsOptions) {
    this.#options = options;
  }

  /** Whether this machine is asking for that start. */
  isAskingFor(start: KeptStart): boolean {
    const agent = this.#inHand.get(start.session.agentId);
    return agent !== undefined && isStartOf(agent, start, this.#options.workspacesFolder);
  }

  /** The machine has attached as this node. */
  async attached(nodeId: string): Promise<void> {
    if (this.#nodeId !== null) return;
    this.#nodeId = nodeId;
    const { kept } = await this.#options.owner.terms();
    for (const agent of kept) this.#keep(agent, nodeId, 0);
  }

  /** The relay knows these sessions and leaves them running. */
  confirmed(agentIds: readonly string[]): void {
    for (const agentId of agentIds) this.#unanswered.delete(agentId);
  }

  /** One that failed comes back, the later the more often it does, and so does one whose start the relay gave up with the link. */
  async ended({ agentId }: Pick<SessionIdentity, 'agentId'>, end: SessionEnd): Promise<void> {
    const { owner, log, clock } = this.#options;
    if (this.#inHand.has(agentId)) {
      this.#endedInHand.set(agentId, end);
      return;
    }
    const isGivenUp = this.#unanswered.delete(agentId);
    if ((end.status !== 'failed' && !isGivenUp) || this.#nodeId === null) return;
    const { kept } = await owner.terms().catch(() => ({ kept: [] }));
    const agent = kept.find(({ name }) => name === agentId);
    if (agent === undefined || this.#nodeId === null) return;
    const before = this.#failed.get(agentId);
    const delays = before && clock.now() - before.at < LIVED_MS ? before.delays : backoffDelays({ initialMs: 1_000, maxMs: 300_000 });
    this.#failed.set(agentId, { delays, at: clock.now() });
    log.info('an agent that is kept failed, and is started again', { agentId });
    this.#keep(agent, this.#nodeId, delays.next().value ?? 0);
  }

  #keep(agent: KeptAgent, nodeId: string, delayMs: number): void {
    const { log, signal } = this.#options;
    if (this.#inHand.has(agent.name) || this.#options.isRunning(agent.name)) return;
    this.#inHand.set(agent.name, agent);
    void this.#start(agent, nodeId, delayMs)
      .catch((error: unknown) => {
        if (!signal.aborted) log.error('an agent that is kept could not be started', { agentId: agent.name, ...reasonOf(error) });
      })
      .finally(() => {
        this.#inHand.delete(agent.name);
        const end = this.#endedInHand.get(agent.name);
        this.#endedInHand.delete(agent.name);
        if (end !== undefined && !this.#options.isRunning(agent.name)) void this.ended({ agentId: agent.name }, end);
      });
  }

  async #start(agent: KeptAgent, nodeId: string, delayMs: number): Promise<void> {
    const { signal, log, isRunning } = this.#options;
    await sleep(delayMs, { signal });
    for (const waitMs of backoffDelays({ initialMs: 500, maxMs: 300_000 })) {
      if (signal.aborted || isRunning(agent.name)) return;
      try {
        await this.#ask(agent, nodeId);
        this.#unanswered.delete(agent.name);
        return;
      } catch (error) {
        if (!mayPass(error)) throw error;
        if (wasLost(error)) this.#unanswered.add(agent.name);
        log.info('an agent that is kept is started later', { agentId: agent.name, ...reasonOf(error) });
      }
      await sleep(waitMs, { signal });
    }
  }

  /** With its conversation where there is one. */
  async #ask(agent: KeptAgent, nodeId: string): Promise<void> {
    const { name, provider, folder, mode, approval, ask, model, resume } = agent;
    const link = await this.#options.links.wait(LINK_WAIT_MS);
    if (!this.#options.isSettled()) throw new RelayError('busy', 'What ran here before is being told');
    const terms = { ...(folder && { cwd: folder }), ...(mode && { mode }), ...(approval && { approval }), ...(model && { model }) };
    const request = { name, provider, node: nodeId, ...terms, ...(ask === undefined ? {} : { ask }) };
    try {
      if (resume) {
        await link.callRoute('sessions/start', { ...request, resume });
        return;
      }
    } catch (error) {
      const hasNone = error instanceof RelayError && (error.code === 'not_found' || error.code === 'unsupported');
      if (!hasNone) throw error;
    }
    await link.callRoute('sessions/start', request);
  }
}

/** Its last session may not be over for the relay yet; a program that is missing may be installed. */
const mayPass = (error: unknown): boolean =>
  isRetryable(error) || (error instanceof RelayError && (error.code === 'busy' || error.code === 'name_taken'));

const reasonOf = (error: unknown) => (error instanceof RelayError ? { code: error.code, reason: error.message } : { error });
