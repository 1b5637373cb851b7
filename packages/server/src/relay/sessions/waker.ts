import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Message, type Principal, RelayError, type RelayEvent, type Session } from 'agent-relay-protocol';
import { Pump } from 'agent-relay-wire';
import type { NewEvent } from '../../domain/change.ts';
import {
  ALL_WAKES_PER_HOUR,
  afterWake,
  countedWakes,
  mayWake,
  noHistory,
  type Wake,
  type WakeHistory,
  wakeOf,
  wakeResource,
  wakesItsReader,
} from '../../domain/wake.ts';
import { Recovery } from '../../recovery.ts';
import type { LogEntry, WaitingPage } from '../../store/store.ts';
import { wakesIn } from '../agents/wakes.ts';
import type { CallContext, RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';
import { WakeTasks } from './wake-tasks.ts';

export interface WakerDeps extends Pick<RelayCore, 'store' | 'clock' | 'log'> {
  readonly start: RelayHandlers['sessions/start'];
  readonly release: RelayHandlers['agents/release'];
}

/** What is written together is looked at together. */
const PAUSE_MS = 100;
const LOG_PAGE = 500;
const MAIL_PAGE = 100;

interface Address {
  readonly workspace: string;
  readonly agentId: string;
}

/**
 * Starts agents whose mail waits, where whoever spawned them said so, and releases those that have had nothing to do for long. What the log says
 * is looked at for whom it concerns, and all of them at each sweep.
 */
export class Waker {
  readonly #deps: WakerDeps;
  readonly #pump: Pump;
  readonly #recovery: Recovery;
  readonly #tasks: WakeTasks;
  readonly #histories = new Map<string, WakeHistory>();
  /** Of all agents. */
  #startedAt: readonly number[] = [];
  #isFull = false;
  /** Up to which message none waits that wakes. */
  readonly #clearThrough = new Map<string, number>();
  /** Since when a session has had nothing to do. */
  readonly #idleSince = new Map<string, { readonly sessionId: string; readonly at: number }>();
  /** Whom something has happened to since they were looked at. */
  readonly #due = new Map<string, Address>();
  #readThrough: number;
  #isAllDue = true;
  readonly #leaving = new AbortController();
  readonly #stopListening: () => void;
  #cancelNext: (() => void) | null = null;

  constructor(deps: WakerDeps) {
    this.#deps = deps;
    this.#readThrough = deps.store.log.head;
    const { clock, log } = deps;
    const words = { fault: 'mail cannot wake its agents', recovered: 'mail wakes its agents again' };
    this.#recovery = new Recovery({ clock, log, ...words, again: () => this.#pump.wake() });
    this.#pump = new Pump(
      () => this.#look(),
      (error) => {
        // Whoever was not looked at yet is among them.
        this.#isAllDue = true;
        this.#recovery.failed(error);
      },
    );
    this.#tasks = new WakeTasks(this.#leaving.signal, () => {
      if (this.#due.size > 0) this.#pump.wake();
    });
    this.#stopListening = deps.store.log.onCommit(() => this.#ring());
  }

  /** Begins to look at all of them, and waits for nobody. */
  sweep(): void {
    this.#isAllDue = true;
    this.#pump.wake();
  }

  /** Resolves when it has looked, and the machines that it asked have answered. */
  async settled(): Promise<void> {
    await this.#pump.settled();
    await this.#tasks.settled();
    if (this.#pump.isRunning) await this.settled();
  }

  /** What machines were asked for is not waited for. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#cancelNext?.();
    this.#leaving.abort();
    this.#recovery.close();
    await this.#pump.close();
    await this.#tasks.settled();
  }

  #ring(): void {
    if (this.#leaving.signal.aborted) return;
    this.#cancelNext ??= this.#deps.clock.schedule(() => {
      this.#cancelNext = null;
      this.#pump.wake();
    }, PAUSE_MS);
  }

  async #look(): Promise<void> {
    await this.#readLog();
    if (this.#isAllDue) {
      this.#isAllDue = false;
      await this.#lookAtAll();
    }
    const due = [...this.#due.values()];
    this.#due.clear();
    for (const { workspace, agentId } of due) {
      if (this.#leaving.signal.aborted) return;
      const wake = await this.#wakeOf(workspace, agentId);
      if (wake) await this.#lookAt(workspace, wake);
      await nextTurn();
    }
    this.#recovery.succeeded();
  }

  /** Finds out whom what was written since the last look concerns. */
  async #readLog(): Promise<void> {
    const { log } = this.#deps.store;
    while (this.#readThrough < log.head && !this.#leaving.signal.aborted) {
      const { entries, through } = await log.read(this.#readThrough, LOG_PAGE);
      for (const entry of entries) this.#note(entry);
      this.#readThrough = through;
      await nextTurn();
    }
  }

  #note(entry: LogEntry): void {
    const { workspace } = entry;
    // A machine that comes back may start whoever waited for it.
    if (entry.stored === null && entry.events().some(({ type }) => type === 'node.connected')) this.#isAllDue = true;
    for (const agentId of concernedBy(entry)) this.#due.set(keyOf(workspace, agentId), { workspace, agentId });
  }

  async #lookAtAll(): Promise<void> {
    const waking = new Set<string>();
    for (const workspace of [...this.#deps.store.agents.index.workspaces()]) {
      for await (const wake of wakesIn(this.#deps.store.records, workspace)) {
        if (this.#leaving.signal.aborted) return;
        const key = keyOf(workspace, wake.agentId);
        waking.add(key);
        this.#due.delete(key);
        await this.#lookAt(workspace, wake);
        await nextTurn();
      }
    }
    for (const kept of [this.#idleSince, this.#clearThrough]) for (const key of kept.keys()) if (!waking.has(key)) kept.delete(key);
  }

  async #lookAt(workspace: string, wake: Wake): Promise<void> {
    const key = keyOf(workspace, wake.agentId);
    if (this.#tasks.has(key)) return;
    const sessionId = this.#deps.store.agents.index.in(workspace).find(wake.agentId)?.agent?.sessionId ?? null;
    if (sessionId !== null) await this.#rest(workspace, wake, sessionId);
    else {
      this.#idleSince.delete(key);
      await this.#wake(workspace, wake);
    }
  }

  async #wakeOf(workspace: string, agentId: string): Promise<Wake | null> {
    const { items } = await this.#deps.store.records.list(wakeResource, { workspace, under: wakeOf(agentId), limit: 1 });
    const [wake] = items;
    return wake === undefined || wake.wake === 'never' ? null : wake;
  }

  async #wake(workspace: string, wake: Wake): Promise<void> {
    const { store, clock } = this.#deps;
    const { agentId, nodeId } = wake;
    const key = keyOf(workspace, agentId);
    if (!mayWake(this.#histories.get(key) ?? noHistory, clock.now())) return;
    const messageId = await this.#mailOf(workspace, agentId);
    if (messageId === null || (await store.sessions.unfinishedOf(workspace, agentId)) !== null) return;
    if (this.#leaving.signal.aborted) return;
    if (!this.#tasks.hasRoom(nodeId)) this.#due.set(key, { workspace, agentId });
    else if (this.#mayWakeMore()) this.#tasks.begin({ key, nodeId, run: () => this.#startForMail(workspace, wake, messageId) });
  }

  /** Counts a start, where one more may begin in this hour; the rest wait for a later sweep. */
  #mayWakeMore(): boolean {
    const now = this.#deps.clock.now();
    const counted = countedWakes(this.#startedAt, now);
    const mayWakeMore = counted.length < ALL_WAKES_PER_HOUR;
    this.#startedAt = mayWakeMore ? [...counted, now] : counted;
    if (!mayWakeMore && !this.#isFull) this.#deps.log.warn('mail has started as many agents as it may in an hour: the others wait');
    this.#isFull = !mayWakeMore;
    return mayWakeMore;
  }

  async #startForMail(workspace: string, wake: Wake, messageId: number): Promise<void> {
    const { clock, log } = this.#deps;
    const { agentId } = wake;
    const key = keyOf(workspace, agentId);
    let hasFailed = false;
    try {
      const { sessionId } = await this.#start(workspace, wake);
      log.info('an agent was started for its mail', { agentId });
      await this.#tell(workspace, { agentId, messageId, sessionId, reason: null });
    } catch (error) {
      hasFailed = true;
      log.warn('an agent could not be started for its mail', { agentId, error });
      const reason = error instanceof RelayError ? error.message.slice(0, 1000) : null;
      if (!this.#leaving.signal.aborted) await this.#tell(workspace, { agentId, messageId, sessionId: null, reason });
    }
    this.#histories.set(key, afterWake(this.#histories.get(key) ?? noHistory, hasFailed, clock.now()));
  }

  async #tell(workspace: string, woken: Omit<Extract<NewEvent, { type: 'agent.woken' }>, 'type' | 'at'>): Promise<void> {
    const { store, clock, log } = this.#deps;
    const at = clock.now();
    await store.records
      .begin(workspace, () => ({ answer: null, change: { at, events: [{ type: 'agent.woken', at, ...woken }] } }))
      .catch((error: unknown) => log.warn('that mail has woken an agent could not be written', { agentId: woken.agentId, error }));
  }

  async #start(workspace: string, wake: Wake): Promise<Session> {
    const { agentId: name, provider, nodeId: node, cwd, mode, ask, model, sandbox } = wake;
    const terms = { mode, ask, ...(model !== null && { model }), ...(sandbox !== null && { sandbox }) };
    const request = { name, provider, node, ...terms, ...(cwd !== null && { cwd }) };
    const context = this.#asOwner(workspace);
    try {
      if (wake.wake === 'resume') {
        return await this.#deps.start({ ...request, resume: true }, context);
      }
    } catch (error) {
      const hasNone = error instanceof RelayError && (error.code === 'not_found' || error.code === 'unsupported');
      if (!hasNone) throw error;
    }
    return this.#deps.start(request, context);
  }

  async #rest(workspace: string, { agentId, idleMs, nodeId }: Wake, sessionId: string): Promise<void> {
    const { store, clock } = this.#deps;
    const key = keyOf(workspace, agentId);
    const now = clock.now();
    const before = this.#idleSince.get(key);
    const at = before?.sessionId === sessionId ? before.at : now;
    if (store.agents.index.in(workspace).find(agentId)?.agent?.status === 'busy') {
      this.#idleSince.delete(key);
      return;
    }
    this.#idleSince.set(key, { sessionId, at });
    if (now - at < idleMs) return;
    // Looked for only now: a long list of mail is walked once in that time.
    if (await this.#hasWork(workspace, agentId)) this.#idleSince.delete(key);
    else if (this.#leaving.signal.aborted) return;
    else this.#tasks.begin({ key, nodeId, run: () => this.#release(workspace, agentId) });
  }

  async #release(workspace: string, agentId: string): Promise<void> {
    try {
      await this.#deps.release({ id: agentId, reason: 'It had nothing to do; mail wakes it' }, this.#asOwner(workspace));
    } catch (error) {
      this.#deps.log.info('an idle agent could not be released', { agentId, error });
    }
  }

  /** The first mail that waits and wakes it. What was looked at before is not looked at again. */
  async #mailOf(workspace: string, agentId: string): Promise<number | null> {
    const key = keyOf(workspace, agentId);
    const { deliveries } = this.#deps.store;
    const pageAfter = (after: number) => deliveries.waitingDirect(workspace, agentId, after, MAIL_PAGE);
    const first = await this.#firstWaiting(pageAfter, wakesItsReader, this.#clearThrough.get(key) ?? 0);
    this.#clearThrough.set(key, first.id === null ? first.through : first.id - 1);
    return first.id;
  }

  async #hasWork(workspace: string, agentId: string): Promise<boolean> {
    const { deliveries } = this.#deps.store;
    return (await this.#firstWaiting((after) => deliveries.waiting(workspace, agentId, after, MAIL_PAGE), isWork, 0)).id !== null;
  }

  /** The first after `begin` that counts, and how far was looked. */
  async #firstWaiting(pageAfter: (after: number) => Promise<WaitingPage>, counts: (message: Message) => boolean, begin: number) {
    const { log } = this.#deps.store;
    for (let after = begin; ; ) {
      const { items, through } = await pageAfter(after);
      const found = items.find(({ message }) => counts(message));
      if (found) return { id: found.message.id, through };
      if (through >= log.head || through <= after) return { id: null, through };
      after = through;
      await nextTurn();
    }
  }

  #asOwner(workspace: string): CallContext {
    const principal: Principal = { type: 'owner', workspace };
    return { principal, signal: this.#leaving.signal };
  }
}

/** Context is for the next turn, whatever begins that. */
const isWork = ({ mode }: Message): boolean => mode !== 'fyi';

const keyOf = (workspace: string, agentId: string): string => `${workspace}\n${agentId}`;

/** Whose mail, or session, an entry of the log is about. */
function concernedBy(entry: LogEntry): readonly string[] {
  if (entry.stored === null) return entry.events().flatMap(concernedByEvent);
  const { message } = entry.stored;
  return wakesItsReader(message) ? [message.to.slice(3)] : [];
}

function concernedByEvent(event: RelayEvent): readonly string[] {
  if (event.type === 'agent.status') return [event.agent.id];
  return event.type === 'session.ended' ? [event.session.agentId] : [];
}
