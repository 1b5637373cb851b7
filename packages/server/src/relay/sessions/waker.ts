import { type Principal, RelayError } from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import { afterWake, mayWake, noHistory, type Wake, type WakeHistory } from '../../domain/wake.ts';
import { wakesIn } from '../agents/wakes.ts';
import type { CallContext, RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

export interface WakerDeps extends Pick<RelayCore, 'store' | 'clock' | 'log'> {
  readonly start: RelayHandlers['sessions/start'];
  readonly release: RelayHandlers['agents/release'];
}

/** What is written together is looked at together. */
const PAUSE_MS = 100;

/** Starts agents whose mail waits, where whoever spawned them said so, and releases those that have had nothing to do for long. */
export class Waker {
  readonly #deps: WakerDeps;
  readonly #pump: Pump;
  readonly #histories = new Map<string, WakeHistory>();
  /** Since when a session has had nothing to do. */
  readonly #idleSince = new Map<string, number>();
  readonly #leaving = new AbortController();
  readonly #stopListening: () => void;
  #cancelNext: (() => void) | null = null;

  constructor(deps: WakerDeps) {
    this.#deps = deps;
    this.#pump = new Pump(
      () => this.#look(),
      (error) => deps.log.warn('mail could not wake its agents', { error }),
    );
    this.#stopListening = deps.store.onTurn({ committed: () => this.#ring(), rolledBack: () => {} });
  }

  sweep(): Promise<void> {
    return this.#pump.run();
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#cancelNext?.();
    this.#leaving.abort();
    await this.#pump.close();
  }

  #ring(): void {
    if (this.#leaving.signal.aborted) return;
    this.#cancelNext ??= this.#deps.clock.schedule(() => {
      this.#cancelNext = null;
      this.#pump.wake();
    }, PAUSE_MS);
  }

  async #look(): Promise<void> {
    const { agents, records } = this.#deps.store;
    const seen = new Set<string>();
    for (const workspace of [...agents.index.workspaces()]) {
      for await (const wake of wakesIn(records, workspace)) {
        if (this.#leaving.signal.aborted) return;
        const sessionId = agents.index.in(workspace).find(wake.agentId)?.agent?.sessionId ?? null;
        if (sessionId === null) await this.#wake(workspace, wake);
        else {
          seen.add(sessionId);
          await this.#rest(workspace, wake, sessionId);
        }
      }
    }
    for (const sessionId of this.#idleSince.keys()) if (!seen.has(sessionId)) this.#idleSince.delete(sessionId);
  }

  async #wake(workspace: string, wake: Wake): Promise<void> {
    const { store, clock, log } = this.#deps;
    const { agentId } = wake;
    const key = `${workspace}\n${agentId}`;
    const history = this.#histories.get(key) ?? noHistory;
    if (!mayWake(history, clock.now())) return;
    if ((await store.sessions.unfinishedOf(workspace, agentId)) !== null || !(await this.#hasMail(workspace, agentId))) return;
    let hasFailed = false;
    try {
      await this.#start(workspace, wake);
      log.info('an agent was started for its mail', { agentId });
    } catch (error) {
      hasFailed = true;
      log.warn('an agent could not be started for its mail', { agentId, error });
    }
    this.#histories.set(key, afterWake(history, hasFailed, clock.now()));
  }

  async #start(workspace: string, wake: Wake): Promise<void> {
    const { agentId: name, provider, nodeId: node, cwd, mode, ask, model, sandbox } = wake;
    // What a person said of it since goes on.
    const approval = this.#deps.store.agents.index.in(workspace).find(name)?.approval ?? 'open';
    const terms = { mode, ask, approval, ...(model !== null && { model }), ...(sandbox !== null && { sandbox }) };
    const request = { name, provider, node, ...terms, ...(cwd !== null && { cwd }) };
    const context = this.#asOwner(workspace);
    try {
      if (wake.wake === 'resume') {
        await this.#deps.start({ ...request, resume: true }, context);
        return;
      }
    } catch (error) {
      const hasNone = error instanceof RelayError && (error.code === 'not_found' || error.code === 'unsupported');
      if (!hasNone) throw error;
    }
    await this.#deps.start(request, context);
  }

  async #rest(workspace: string, { agentId, idleMs }: Wake, sessionId: string): Promise<void> {
    const { store, clock, log } = this.#deps;
    const status = store.agents.index.in(workspace).find(agentId)?.agent?.status;
    const isBusy = status === 'busy' || (await this.#hasMail(workspace, agentId));
    if (isBusy) {
      this.#idleSince.delete(sessionId);
      return;
    }
    const since = this.#idleSince.get(sessionId) ?? clock.now();
    this.#idleSince.set(sessionId, since);
    if (clock.now() - since < idleMs) return;
    try {
      await this.#deps.release({ id: agentId, reason: 'It had nothing to do; mail wakes it' }, this.#asOwner(workspace));
    } catch (error) {
      log.info('an idle agent could not be released', { agentId, error });
    }
  }

  async #hasMail(workspace: string, agentId: string): Promise<boolean> {
    const { deliveries, log } = this.#deps.store;
    for (let after = 0; ; ) {
      const { items, through } = await deliveries.waiting(workspace, agentId, after, 100);
      // Context is for the next turn, whatever begins that.
      if (items.some(({ message }) => message.mode !== 'fyi')) return true;
      if (through >= log.head || through <= after) return false;
      after = through;
    }
  }

  #asOwner(workspace: string): CallContext {
    const principal: Principal = { type: 'owner', workspace };
    return { principal, signal: this.#leaving.signal };
  }
}
