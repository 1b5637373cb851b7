import type { RelayError } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import type { CodexThread } from './codex-thread.ts';
import { isConnectionLost } from './errors.ts';
import { type CodexNotification, parseNotification, threadIdOf } from './notifications.ts';

/** What the server answers to the opening of a thread. */
interface OpenedThread {
  readonly thread: { readonly id: string };
}

/** A thread that a call in another one started; the call may itself be a sub-agent's. */
interface SubAgent {
  readonly thread: CodexThread;
  readonly turnId: string;
  readonly itemId: string;
}

/** The threads of one client, and where what names a thread goes. */
export class OpenThreads {
  readonly #byId = new Map<string, CodexThread>();
  /** Notifications of threads whose start has been answered but not yet seen by the one who asked. */
  #unclaimed: CodexNotification[] = [];
  #opening = 0;
  readonly #subAgents = new RecentMap<string, SubAgent>(1024);

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
  async resume(loaded: ReadonlySet<string> | undefined, onGone: (error: unknown) => void): Promise<void> {
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
  }

  end(): void {
    for (const thread of this.#byId.values()) thread.end();
    this.#byId.clear();
  }
}
