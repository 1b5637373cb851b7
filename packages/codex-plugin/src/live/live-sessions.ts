import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CodexClient, type CodexNotification } from 'agent-relay-codex-app-server';
import { messageOf, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { Bell, lenient, sleep, unlessAborted } from 'agent-relay-wire';
import { z } from 'zod';
import { endLeftBehind } from '../session/process-note.ts';
import { canSeeTerminals, listTerminals } from './codex-terminals.ts';
import { LiveSession } from './live-session.ts';
import { type LoadedThread, ShownThreads } from './shown-threads.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface LiveSessionsOptions {
  /** Which Codex (`CODEX_HOME`), which relay, and what agents of this machine are by default. */
  readonly env: Environment;
  /** Told in a sentence of what a person should know. */
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

const Thread = z.looseObject({
  id: z.string(),
  ephemeral: z.boolean().catch(false),
  parentThreadId: lenient(z.string()),
  threadSource: lenient(z.string()),
  cwd: z.string(),
  /** In seconds. */
  createdAt: z.number().catch(0),
  status: lenient(z.looseObject({ type: z.string() })),
});
const ThreadAnswer = z.looseObject({ thread: Thread });
const LoadedAnswer = z.looseObject({ data: z.array(z.string()) });
const Changed = z.looseObject({ threadId: z.string(), status: z.looseObject({ type: z.string() }) });

interface Known extends LoadedThread {
  readonly cwd: string;
  isActive: boolean;
}

const lookEveryMs = 1_000;
const connectEveryMs = 2_000;

/** Where Codex's daemon listens for this environment. */
export const daemonSocket = (env: Environment): string => join(codexHomeOf(env), 'app-server-control', 'app-server-control.sock');
const codexHomeOf = (env: Environment): string => resolve(env['CODEX_HOME'] || join(env['HOME'] || homedir(), '.codex'));

/**
 * Makes every conversation that a person has in plain `codex` an agent, until the signal aborts: those that Codex's daemon of this CODEX_HOME runs and
 * somebody has before them. Helpers' conversations are none, nor are agents of the relay. The daemon may come later, go and come again.
 */
export async function runLiveSessions({ env, tell, signal }: LiveSessionsOptions): Promise<void> {
  let wasThere = true;
  await endLeftBehind(env);
  while (!signal.aborted) {
    const client = await connect(env, signal).catch(() => undefined);
    if (client) {
      wasThere = true;
      tell(`Conversations of plain codex are agents now (${client.userAgent}).`);
      await using sessions = new DaemonSessions(client, { env, tell, signal });
      await sessions.ended;
    } else if (wasThere && !signal.aborted) {
      wasThere = false;
      tell(`No Codex daemon answers at ${daemonSocket(env)} yet: it starts with the next \`codex\`.`);
    }
    await sleep(connectEveryMs, { signal });
  }
}

function connect(env: Environment, signal: AbortSignal): Promise<CodexClient> {
  const clientInfo = { name: 'agent_relay_live', title: 'Agent Relay', version: RELAY_VERSION };
  return CodexClient.connect({ transport: 'unix', socketPath: daemonSocket(env) }, { clientInfo, reconnectForMs: 5_000, signal });
}

/** The conversations of one daemon while it runs. */
class DaemonSessions implements AsyncDisposable {
  /** Resolves when the daemon is gone, or the signal aborts. */
  readonly ended: Promise<void>;
  readonly #client: CodexClient;
  readonly #options: LiveSessionsOptions;
  readonly #known = new Map<string, Known>();
  /** What is no person's, or is being read. */
  readonly #others = new Set<string>();
  readonly #sessions = new Map<string, LiveSession>();
  readonly #shown = new ShownThreads();
  #news = new Set<string>();
  readonly #changed = new Bell();

  constructor(client: CodexClient, options: LiveSessionsOptions) {
    this.#client = client;
    this.#options = options;
    void this.#follow();
    this.ended = this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    await this.#client.close();
  }

  async #follow(): Promise<void> {
    for await (const notification of this.#client.notifications) await this.#receive(notification).catch(this.#onError);
  }

  async #receive({ method, params }: CodexNotification): Promise<void> {
    if (method === 'thread/started') await this.#meet(ThreadAnswer.safeParse(params).data?.thread, true);
    const changed = method === 'thread/status/changed' ? Changed.safeParse(params).data : undefined;
    if (!changed) return;
    const { threadId, status } = changed;
    const isActive = status.type === 'active';
    await this.#meetById(threadId);
    const known = this.#known.get(threadId);
    if (!known) return;
    known.isActive = isActive;
    if (isActive) this.#tellNews(threadId);
    this.#sessions.get(threadId)?.setActive(isActive);
  }

  /** Looks again and again: nothing tells of a terminal that was closed. */
  async #look(): Promise<void> {
    const { signal } = this.#options;
    while (!this.#isOver) {
      const seen = this.#changed.rings;
      // A daemon that stands still keeps nobody here.
      await unlessAborted(this.#lookOnce(), signal).catch((error: unknown) => signal.aborted || this.#onError(error));
      const woken = AbortSignal.any([signal, AbortSignal.timeout(lookEveryMs)]);
      await Promise.race([this.#changed.after(seen, { signal: woken }), this.#client.closed]);
    }
  }

  get #isOver(): boolean {
    return this.#options.signal.aborted || this.#client.isClosed;
  }

  readonly #onError = (error: unknown): void => {
    if (!this.#isOver) this.#options.tell(messageOf(error));
  };

  async #lookOnce(): Promise<void> {
    const { data } = await this.#client.ask(LoadedAnswer, 'thread/loaded/list', {});
    for (const id of data) await this.#meetById(id);
    const isLoaded = new Set(data);
    for (const id of this.#known.keys()) if (!isLoaded.has(id)) this.#known.delete(id);
    const news = this.#news;
    this.#news = new Set();
    const loaded = [...this.#known.values()];
    const shown = canSeeTerminals
      ? this.#shown.update(await listTerminals(codexHomeOf(this.#options.env)), loaded, news)
      : new Set(loaded.map(({ id }) => id));
    for (const [id, session] of this.#sessions) {
      if (shown.has(id)) continue;
      this.#sessions.delete(id);
      const known = this.#known.get(id);
      // Until now only the session was told.
      if (known) known.isActive = session.isBusy;
      await session.close();
    }
    if (this.#isOver) return;
    for (const known of loaded) if (shown.has(known.id) && !this.#sessions.has(known.id)) this.#open(known);
  }

  #open({ id: threadId, cwd, isActive }: Known): void {
    const { env, tell } = this.#options;
    const session = new LiveSession({ client: this.#client, threadId, cwd, isActive, env, tell });
    this.#sessions.set(threadId, session);
    tell(`${session.agentId} is the conversation ${threadId} in ${cwd}`);
  }

  async #meetById(threadId: string): Promise<void> {
    if (this.#known.has(threadId) || this.#others.has(threadId)) return;
    const answer = await this.#client.ask(ThreadAnswer, 'thread/read', { threadId }).catch((error: unknown) => {
      if (error instanceof RelayError && error.code === 'connection_closed') throw error;
      return undefined;
    });
    await this.#meet(answer?.thread, false);
  }

  async #meet(thread: z.infer<typeof Thread> | undefined, isNew: boolean): Promise<void> {
    if (!thread || this.#known.has(thread.id)) return;
    const { id, ephemeral, parentThreadId, threadSource, cwd, createdAt, status } = thread;
    if (ephemeral || typeof parentThreadId === 'string' || threadSource === 'agent_relay') {
      this.#others.add(id);
      return;
    }
    const folder = await realpath(cwd).catch(() => cwd);
    this.#known.set(id, { id, cwd, folder, createdAt: createdAt * 1000, isActive: status?.type === 'active' });
    if (isNew) this.#tellNews(id);
  }

  #tellNews(threadId: string): void {
    this.#news.add(threadId);
    this.#changed.ring();
  }
}
