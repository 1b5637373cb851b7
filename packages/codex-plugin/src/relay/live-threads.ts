import type { CodexClient, CodexNotification, CodexThread, ThreadRecovery } from 'agent-relay-codex-app-server';
import { parseNotification } from 'agent-relay-codex-app-server';
import { Bell, lenient, sleep } from 'agent-relay-wire';
import { z } from 'zod';

export interface LiveThreadsOptions {
  readonly client: CodexClient;
  /** Of what is sent into these conversations. */
  readonly recovery: () => ThreadRecovery;
  /** A conversation that a person works in, before anything is said in it by us. */
  readonly onThread: (threadId: string) => Promise<void>;
  /** Codex has put a summary in the place of what was said. */
  readonly onCompacted: (threadId: string) => Promise<void>;
  readonly onBusy: (isBusy: boolean) => void;
  /** Codex has taken what was sent under this id into the conversation. */
  readonly onEcho: (clientId: string, turnId: string) => void;
  readonly onTurnEnd: (turnId: string, hasRun: boolean) => void;
  readonly onError: (error: unknown) => void;
}

const Thread = z.looseObject({
  id: z.string(),
  ephemeral: z.boolean().catch(false),
  parentThreadId: lenient(z.string()),
});
const ThreadAnswer = z.looseObject({ thread: Thread });
const LoadedAnswer = z.looseObject({ data: z.array(z.string()) });
const Started = z.looseObject({ thread: Thread });
const Changed = z.looseObject({ threadId: z.string() });

const lookEveryMs = 500;
const joinForMs = 5_000;

/**
 * The conversations of a server of ours that people have open: the newest is where mail goes. Helpers' threads (ephemeral ones, those that
 * another started) are none. Approvals are for the person at the terminal: nothing is answered here.
 */
export class LiveThreads {
  readonly #options: LiveThreadsOptions;
  readonly #known = new Set<string>();
  readonly #joined = new Map<string, CodexThread>();
  /** Of the joined, those that have said themselves how they stand. */
  readonly #heardItself = new Set<string>();
  readonly #changed = new Bell();
  readonly #closing = new AbortController();
  #current: string | undefined;
  #introduced: Promise<void> = Promise.resolve();
  readonly #busy = new Set<string>();

  constructor(options: LiveThreadsOptions) {
    this.#options = options;
    void this.#follow().catch(options.onError);
    void this.#look().catch(options.onError);
  }

  /** Whether a turn runs where mail goes. */
  get isBusy(): boolean {
    return this.#current !== undefined && this.#busy.has(this.#current);
  }

  get joined(): CodexThread | undefined {
    return this.#current === undefined ? undefined : this.#joined.get(this.#current);
  }

  /** Where mail goes; waits for the first conversation. Rejects with the signal's reason. */
  async current(signal: AbortSignal): Promise<string> {
    while (this.#current === undefined) {
      signal.throwIfAborted();
      await this.#changed.next({ signal });
    }
    signal.throwIfAborted();
    // What it is told of itself comes before its mail.
    await this.#introduced;
    return this.#current;
  }

  /** Resolves when no turn runs where mail goes. Rejects with the signal's reason. */
  async idle(signal: AbortSignal): Promise<void> {
    while (this.isBusy) {
      signal.throwIfAborted();
      await this.#changed.next({ signal });
    }
    signal.throwIfAborted();
  }

  /** As `MailThreads` has it. */
  expectTurn(threadId: string, isExpected: boolean): void {
    if (isExpected) this.#busy.add(threadId);
    else this.#settle(threadId);
  }

  settle(): void {
    for (const threadId of this.#joined.keys()) this.#settle(threadId);
  }

  /** One that was opened by us. */
  async adopt(thread: CodexThread): Promise<void> {
    this.#known.add(thread.id);
    this.#read(thread);
    await this.#enter(thread.id);
  }

  close(): void {
    this.#closing.abort();
  }

  async #follow(): Promise<void> {
    for await (const notification of this.#options.client.notifications) {
      const started = notification.method === 'thread/started' ? Started.safeParse(notification.params).data : undefined;
      if (started) await this.#meet(started.thread);
      else await this.#receive(notification);
    }
  }

  /** A conversation that is continued is not told of by every version: what is loaded is looked at until there is one. */
  async #look(): Promise<void> {
    const { client, onError } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted && this.#current === undefined) {
      const loaded = await client.ask(LoadedAnswer, 'thread/loaded/list', {}).catch((error: unknown) => {
        if (!client.isClosed) onError(error);
      });
      for (const id of loaded?.data ?? []) await this.#meetById(id);
      await sleep(lookEveryMs, { signal });
    }
  }

  async #receive(notification: CodexNotification): Promise<void> {
    const { data: changed } =
      notification.method === 'thread/status/changed' ? Changed.safeParse(notification.params) : { data: undefined };
    if (changed && !this.#known.has(changed.threadId)) {
      await this.#meetById(changed.threadId);
      // It was joined meanwhile, and has said something newer since.
      if (this.#heardItself.has(changed.threadId)) return;
    }
    const known = parseNotification(notification);
    if (!known) return;
    if (known.method === 'thread/status/changed') this.#status(known.params.threadId, known.params.status.type === 'active');
    else if (known.method === 'item/completed') {
      const { item, turnId, threadId } = known.params;
      this.#item(item.known, turnId);
      if (item.type === 'contextCompaction') await this.#options.onCompacted(threadId).catch(this.#options.onError);
    } else if (known.method === 'turn/completed') {
      const { id, status } = known.params.turn;
      this.#options.onTurnEnd(id, status === 'completed');
      this.#settle(known.params.threadId);
    }
  }

  /** What the server says of the whole thread may be missed. */
  #settle(threadId: string): void {
    if (this.#busy.has(threadId) && this.#joined.get(threadId)?.activeTurnId === undefined) this.#status(threadId, false);
  }

  #status(threadId: string, isActive: boolean): void {
    if (!this.#known.has(threadId)) return;
    if (isActive) this.#busy.add(threadId);
    else this.#busy.delete(threadId);
    if (isActive) void this.#join(threadId).catch(this.#options.onError);
    if (threadId !== this.#current) return;
    this.#options.onBusy(isActive);
    this.#changed.ring();
  }

  #item(item: { readonly type: string; readonly clientId?: string | null | undefined } | undefined, turnId: string): void {
    if (item?.type === 'userMessage' && typeof item.clientId === 'string') this.#options.onEcho(item.clientId, turnId);
  }

  async #meetById(threadId: string): Promise<void> {
    if (this.#known.has(threadId)) return;
    const answer = await this.#options.client.ask(ThreadAnswer, 'thread/read', { threadId }).catch(() => undefined);
    if (answer) await this.#meet(answer.thread);
  }

  async #meet({ id, ephemeral, parentThreadId }: z.infer<typeof Thread>): Promise<void> {
    if (ephemeral || typeof parentThreadId === 'string' || this.#known.has(id)) return;
    this.#known.add(id);
    await this.#enter(id);
  }

  async #enter(id: string): Promise<void> {
    this.#current = id;
    this.#introduced = this.#options.onThread(id).catch(this.#options.onError);
    this.#options.onBusy(this.isBusy);
    this.#changed.ring();
    await this.#introduced;
    // One that has had a turn can be joined at once; the others with their first.
    await this.#tryToJoin(id);
  }

  async #join(id: string): Promise<void> {
    for (let waitedMs = 0; waitedMs < joinForMs && !this.#closing.signal.aborted; waitedMs += 50) {
      if (await this.#tryToJoin(id)) return;
      await sleep(50, { signal: this.#closing.signal });
    }
  }

  async #tryToJoin(id: string): Promise<boolean> {
    if (this.#joined.has(id)) return true;
    // Answered by the person at the terminal; who never settles says nothing in their place.
    const onRequest = () => new Promise(() => {});
    const recovery = this.#options.recovery();
    const thread = await this.#options.client.resumeThread(id, {}, { onRequest, recovery }).catch(() => undefined);
    if (!thread) return this.#joined.has(id);
    this.#read(thread);
    for (const { item, turnId } of await thread.listItems().catch(() => [])) this.#item(item.known, turnId);
    return true;
  }

  #read(thread: CodexThread): void {
    this.#joined.set(thread.id, thread);
    void (async () => {
      for await (const notification of thread.notifications) {
        if (notification.method === 'thread/status/changed') this.#heardItself.add(thread.id);
        await this.#receive(notification);
      }
    })().catch(this.#options.onError);
  }
}
