import type { RelayError } from 'agent-relay-protocol';
import type { CodexRequester } from './codex-requester.ts';
import type { CodexThread } from './codex-thread.ts';
import { isConnectionLost } from './errors.ts';
import { type CodexNotification, type KnownNotification, threadIdOf } from './notifications.ts';
import { type SubAgent, SubAgents } from './sub-agents.ts';

/** What the server answers to the opening of a thread. */
interface OpenedThread {
  readonly thread: { readonly id: string };
}

export interface ResumeThreads {
  /** One of them is gone. */
  readonly onGone: (error: unknown) => void;
  readonly client: CodexRequester;
}

/** The threads of one client, and where what names a thread goes. */
export class OpenThreads {
  readonly #byId = new Map<string, CodexThread>();
  /** Notifications of threads whose start has been answered but not yet seen by the one who asked. */
  #unclaimed: CodexNotification[] = [];
  #opening = 0;
  readonly #subAgents = new SubAgents((thread) => this.#byId.get(thread.id) === thread);

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
    thread?.receive(notification);
    if (thread) return true;
    if (threadId === undefined) return false;
    if (this.#subAgents.receive(threadId, notification)) return true;
    if (this.#opening === 0) return false;
    this.#unclaimed.push(notification);
    return true;
  }

  /** One of the threads was told this, now or when it caught up. */
  heard(known: KnownNotification, thread: CodexThread): void {
    this.#subAgents.note(known, thread);
  }

  /** The sub-agent that this thread is; `undefined` for the thread of somebody else. */
  async subAgent(threadId: string): Promise<SubAgent | undefined> {
    return this.#byId.size === 0 ? undefined : await this.#subAgents.find(threadId);
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
  async resume(loaded: ReadonlySet<string> | undefined, { onGone, client }: ResumeThreads): Promise<void> {
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
    await this.#subAgents.rejoin(loaded, client);
  }

  end(): void {
    for (const thread of this.#byId.values()) thread.end();
    this.#byId.clear();
  }
}
