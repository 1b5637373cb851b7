import type { RelayError } from 'agent-relay-protocol';
import { Bell, RecentMap } from 'agent-relay-wire';
import type { CodexThread } from './codex-thread.ts';
import { isConnectionLost } from './errors.ts';
import { type CodexNotification, parseNotification, threadIdOf } from './notifications.ts';

/** What the server answers to the opening of a thread. */
interface OpenedThread {
  readonly thread: { readonly id: string };
}

/** A thread that a call in another one started; the call may itself be a sub-agent's. */
export interface SubAgent {
  readonly thread: CodexThread;
  readonly turnId: string;
  readonly itemId: string;
}

export interface ResumeThreads {
  /** One of them is gone. */
  readonly onGone: (error: unknown) => void;
  /** Subscribes to a thread that this client did not open. */
  readonly rejoin: (threadId: string) => Promise<unknown>;
}

/** A sub-agent may ask before its parent has told of it. */
const meetMs = 2_000;

/** The threads of one client, and where what names a thread goes. */
export class OpenThreads {
  readonly #byId = new Map<string, CodexThread>();
  /** Notifications of threads whose start has been answered but not yet seen by the one who asked. */
  #unclaimed: CodexNotification[] = [];
  #opening = 0;
  readonly #subAgents = new RecentMap<string, SubAgent>(1024);
  readonly #met = new Bell();

  get(threadId: string | undefined): CodexThread | undefined {
    return threadId === undefined ? undefined : this.#byId.get(threadId);
  }

  /** Opens a thread and takes it up under the id that it is given; what the server says of it before that is kept for it. */
  async open<Opened extends OpenedThread>(ask: () => Promise<Opened>, take: (opened: Opened) => CodexThread): Promise<CodexThread> {
    this.#opening += 1;
    try {
      const opened = await ask();
      const { id } = opened.thread;
      const thread = take(opened);
      this.#byId.set(id, thread);
      for (const notification of this.#unclaimed.filter(({ params }) => threadIdOf(params) === id)) thread.receive(notification);
      return thread;
    } finally {
      this.#opening -= 1;
      if (this.#opening === 0) this.#unclaimed = [];
    }
  }

  /** False for what belongs to no thread here. */
  receive(notification: CodexNotification): boolean {
    const threadId = threadIdOf(notification.params);
    const thread = this.get(threadId);
    const subAgent = thread ? undefined : this.#subAgents.get(threadId ?? '');
    if (thread || subAgent) this.#noteSubAgents(notification, thread ?? subAgent?.thread, subAgent);
    thread?.receive(notification);
    if (subAgent) {
      const { itemId, turnId, thread: parent } = subAgent;
      parent.receive({ method: 'client/subAgent', params: { threadId: parent.id, turnId, itemId, notification } });
      return true;
    }
    if (thread || threadId === undefined || this.#opening === 0) return thread !== undefined;
    this.#unclaimed.push(notification);
    return true;
  }

  /** Codex tells who started a sub-agent only with the call that did. */
  #noteSubAgents(notification: CodexNotification, thread: CodexThread | undefined, parent: SubAgent | undefined): void {
    const known = parseNotification(notification);
    if (!thread || (known?.method !== 'item/completed' && known?.method !== 'item/started')) return;
    const { item, turnId } = known.params;
    const started =
      item.known?.type === 'collabAgentToolCall' && item.known.tool === 'spawnAgent'
        ? item.known.receiverThreadIds
        : item.known?.type === 'subAgentActivity' && item.known.kind === 'started'
          ? [item.known.agentThreadId ?? '']
          : [];
    for (const id of started)
      if (!this.#subAgents.has(id)) this.#subAgents.set(id, { thread, turnId: parent?.turnId ?? turnId, itemId: item.id });
    if (started.length > 0) this.#met.ring();
  }

  /** The sub-agent that this thread is; undefined for the thread of somebody else. */
  async subAgent(threadId: string): Promise<SubAgent | undefined> {
    const patience = AbortSignal.timeout(meetMs);
    while (!this.#subAgents.has(threadId) && !patience.aborted && this.#byId.size > 0) await this.#met.next({ signal: patience });
    return this.#subAgents.get(threadId);
  }

  forget(threadId: string): void {
    this.#byId.delete(threadId);
  }

  serverDied(message: string): void {
    for (const thread of this.#byId.values()) thread.serverDied(message);
  }

  /**
   * Resumes every thread on a new connection; `loaded` is what its server has in memory, where it can say. One that is gone is ended, and costs the
   * others nothing.
   * @throws RelayError `connection_closed` when this connection is lost as well, once nothing is asked on it any more.
   */
  async resume(loaded: ReadonlySet<string> | undefined, { onGone, rejoin }: ResumeThreads): Promise<void> {
    const resuming = [...this.#byId.values()].map(async (thread) => {
      const { id } = thread;
      try {
        await thread.resumeAfterReconnect({ isForgotten: loaded?.has(id) === false });
      } catch (error) {
        if (isConnectionLost(error)) throw error;
        onGone(error);
        this.#byId.delete(thread.id);
        thread.end();
      }
    });
    const lost = (await Promise.allSettled(resuming)).find(({ status }) => status === 'rejected');
    if (lost?.status === 'rejected') throw lost.reason as RelayError;
    await this.#rejoinSubAgents(loaded, rejoin);
  }

  /** What they ask is asked again of whoever joins them. Those that their server has let go are over. */
  async #rejoinSubAgents(loaded: ReadonlySet<string> | undefined, rejoin: ResumeThreads['rejoin']): Promise<void> {
    for (const [id, { thread }] of [...this.#subAgents]) {
      if (loaded?.has(id) !== true || this.#byId.get(thread.id) !== thread) continue;
      await rejoin(id).catch((error: unknown) => {
        if (isConnectionLost(error)) throw error;
      });
    }
  }

  end(): void {
    for (const thread of this.#byId.values()) thread.end();
    this.#byId.clear();
  }
}
