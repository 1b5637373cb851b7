import { RelayError } from 'agent-relay-protocol';
import type { EndOfSession, ProcessSandbox } from 'agent-relay-provider';
import { unlessAborted } from 'agent-relay-wire';
import type { ChildHandle } from 'agent-relay-wire/node';
import type { CodexClient } from '../app-server/codex-client.ts';
import type { ServerAudience } from './server-news.ts';

/** A running server with our one connection to it. */
export interface SharedServer {
  readonly server: { close(): Promise<void> };
  readonly client: CodexClient;
  readonly audience: ServerAudience;
  /** Which server it is, and why that one, for people. */
  readonly runtime: string;
  /** Why the server stays dead, or is lost. The client is closed after that, so that its sessions hear of the reason first. */
  readonly ended: Promise<EndOfSession>;
  /** What the server's own environment is; a thread's commands get theirs on top. Null where it is somebody else's. */
  readonly env: Readonly<Record<string, string>> | null;
}

export interface ServerStart {
  /** Who says the same shares a server. */
  readonly key: string;
  readonly codexHome: string;
  readonly env: Readonly<Record<string, string>>;
  /** Called with the server's process, if this request is the one that starts it. */
  readonly onProcess: (child: ChildHandle) => void;
  readonly signal?: AbortSignal | undefined;
  /** What the server is put in. */
  readonly sandbox?: ProcessSandbox | undefined;
}

export type StartSharedServer = (request: ServerStart & { readonly signal: AbortSignal }) => Promise<SharedServer>;

interface Entry {
  readonly starting: Promise<SharedServer>;
  readonly abort: AbortController;
  users: number;
}

/**
 * One server per key, which is the CODEX_HOME, shared by the sessions that use it. Codex allows one writer per thread and keeps one database per home, and
 * a further server costs 50 MB where a further thread costs 2. The last session that lets go ends the server.
 */
export class ServerPool {
  readonly #start: StartSharedServer;
  readonly #entries = new Map<string, Entry>();
  readonly #endings = new Set<Promise<void>>();

  constructor(start: StartSharedServer) {
    this.#start = start;
  }

  /** @throws what the start failed with, or the signal's reason; then nothing is held. */
  async acquire(request: ServerStart): Promise<SharedServer> {
    const { key, signal } = request;
    signal?.throwIfAborted();
    const entry = this.#entries.get(key) ?? this.#begin(request);
    entry.users += 1;
    try {
      return await unlessAborted(entry.starting, signal);
    } catch (error) {
      await this.#letGo(key, entry);
      throw error;
    }
  }

  /** The server that is in use for this home. */
  async current(key: string): Promise<SharedServer | undefined> {
    return await this.#entries.get(key)?.starting.catch(() => undefined);
  }

  /** Resolves when the server is gone, if this was its last user. */
  async release(key: string, shared: SharedServer): Promise<void> {
    const entry = this.#entries.get(key);
    // A server that stays dead made room for the next one: its late users have nothing to give back.
    if (entry && (await entry.starting.catch(() => undefined)) === shared) await this.#letGo(key, entry);
    else await shared.server.close();
  }

  async close(): Promise<void> {
    for (const [key, entry] of [...this.#entries]) {
      entry.users = 1;
      await this.#letGo(key, entry);
    }
    await Promise.all(this.#endings);
  }

  #begin(request: ServerStart): Entry {
    const { key } = request;
    const abort = new AbortController();
    const starting = this.#start({ ...request, signal: abort.signal });
    const entry: Entry = { starting, abort, users: 0 };
    this.#entries.set(key, entry);
    starting.then(
      ({ ended }) => ended.then(() => this.#forget(key, entry)),
      () => this.#forget(key, entry),
    );
    return entry;
  }

  async #letGo(key: string, entry: Entry): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#forget(key, entry);
    entry.abort.abort(new RelayError('gone', 'Nobody waits for this server any more'));
    const ending = entry.starting.then(
      async ({ client, server }) => {
        await client.close();
        await server.close();
      },
      () => undefined, // whoever asked for the start was told
    );
    this.#endings.add(ending);
    await ending.finally(() => this.#endings.delete(ending));
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}
