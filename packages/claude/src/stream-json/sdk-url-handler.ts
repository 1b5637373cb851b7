import { RelayError } from 'agent-relay-protocol';
import type { DuplexClosed, MessageDuplex } from 'agent-relay-wire';
import { ClaudeConnection, type ClaudeConnectionOptions } from './claude-connection.ts';
import type { OutgoingFrame } from './outgoing.ts';

/** What an upgrade request says about who dials: Claude Code sends no other header that could tell. */
export interface SdkUrlDialler {
  readonly path: string;
  readonly query: URLSearchParams;
  /** From `CLAUDE_CODE_SESSION_ACCESS_TOKEN` of the CLI. */
  readonly bearer: string | null;
  /** A dial that follows a drop names the last message it had; the first dial of a process does not. */
  readonly isReconnect: boolean;
}

/** What is read of an upgrade request: an `IncomingMessage` is one. */
export interface SdkUrlUpgrade {
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** One Claude Code that dialled in; it outlives its sockets. */
export interface SdkUrlSession {
  readonly id: string;
  readonly dialler: SdkUrlDialler;
  readonly connection: ClaudeConnection;
}

export interface SdkUrlHandlerOptions {
  /** Names the session, or refuses with null. The same name again is the same session, reconnected. */
  readonly identify: (dialler: SdkUrlDialler) => string | null | Promise<string | null>;
  /** What becomes of a new session's frames, and how its permissions and hooks are answered. */
  readonly connectionOptions: (id: string, dialler: SdkUrlDialler) => Omit<ClaudeConnectionOptions, 'whenLinkEnds' | 'reconnectWithinMs'>;
  /** Told of each new session once it has answered `initialize`. */
  readonly onSession: (session: SdkUrlSession) => void;
  /** How long a session waits for its CLI to dial again. Default 630 000: the CLI gives up after 600 s. */
  readonly reconnectWithinMs?: number;
}

export interface SdkUrlHandler {
  /**
   * Takes an accepted WebSocket (`webSocketDuplex(socket, { framing: 'lines' })`) with its upgrade request. Resolves when it is attached or
   * turned away; never rejects. Accept first and turn away here: an HTTP refusal makes native CLIs exit without a word.
   */
  accept(duplex: MessageDuplex<unknown, OutgoingFrame>, upgrade: SdkUrlUpgrade): Promise<void>;
  readonly sessions: ReadonlyMap<string, SdkUrlSession>;
  /** `end` closes with 4001, after which CLIs exit; `restart` with 1012, after which they dial again. Default `end`. */
  close(how?: 'end' | 'restart'): Promise<void>;
}

interface Waiting {
  readonly session: SdkUrlSession;
  isAnnounced: boolean;
}

const restartClose: DuplexClosed = { code: 1012, reason: 'restarting' };
const endClose: DuplexClosed = { code: 4001, reason: 'closed' };
const refusedClose: DuplexClosed = { code: 4003, reason: 'refused' };

/**
 * The other end of `claude --sdk-url ws://…` (2.1.120 and older; newer ones dial nothing but their vendor). Speaks that protocol's rules:
 * it says `initialize` on every socket, answers what was asked during an outage, and drops what a reconnecting CLI repeats.
 */
export function createClaudeSdkUrlHandler(options: SdkUrlHandlerOptions): SdkUrlHandler {
  return new Handler(options);
}

class Handler implements SdkUrlHandler {
  readonly sessions = new Map<string, SdkUrlSession>();
  readonly #options: SdkUrlHandlerOptions;
  readonly #waiting = new Map<string, Waiting>();
  #isClosed = false;

  constructor(options: SdkUrlHandlerOptions) {
    this.#options = options;
  }

  async accept(duplex: MessageDuplex<unknown, OutgoingFrame>, upgrade: SdkUrlUpgrade): Promise<void> {
    try {
      const dialler = diallerFrom(upgrade);
      const id = await this.#options.identify(dialler);
      if (id === null) await duplex.close(refusedClose);
      else if (this.#isClosed) await duplex.close(restartClose);
      else await this.#attach(id, dialler, duplex);
    } catch (error) {
      // 1013 asks the CLI to try again later: its link broke during the handshake, or ours is the fault.
      await duplex.close({ code: 1013, reason: error instanceof RelayError ? error.code : 'internal' });
    }
  }

  async close(how: 'end' | 'restart' = 'end'): Promise<void> {
    this.#isClosed = true;
    const closed = how === 'end' ? endClose : restartClose;
    await Promise.all([...this.sessions.values()].map(({ connection }) => connection.close(closed)));
  }

  async #attach(id: string, dialler: SdkUrlDialler, duplex: MessageDuplex<unknown, OutgoingFrame>): Promise<void> {
    const entry = this.#waiting.get(id) ?? this.#open(id, dialler);
    await entry.session.connection.attach(duplex);
    if (entry.isAnnounced) return;
    entry.isAnnounced = true;
    this.#options.onSession(entry.session);
  }

  #open(id: string, dialler: SdkUrlDialler): Waiting {
    const { connectionOptions, reconnectWithinMs = 630_000 } = this.#options;
    const connection = new ClaudeConnection({ ...connectionOptions(id, dialler), whenLinkEnds: 'reconnect', reconnectWithinMs });
    const entry: Waiting = { session: { id, dialler, connection }, isAnnounced: false };
    this.#waiting.set(id, entry);
    this.sessions.set(id, entry.session);
    void connection.closed.then(() => {
      if (this.#waiting.get(id) === entry) {
        this.#waiting.delete(id);
        this.sessions.delete(id);
      }
    });
    return entry;
  }
}

/** What an upgrade request says of its CLI. */
export function diallerFrom({ url, headers }: SdkUrlUpgrade): SdkUrlDialler {
  const { pathname, searchParams } = new URL(url ?? '/', 'ws://claude');
  const authorization = headers['authorization'];
  const [, bearer = null] = (typeof authorization === 'string' && /^Bearer\s+(.+)$/iu.exec(authorization)) || [];
  return { path: pathname, query: searchParams, bearer, isReconnect: headers['x-last-request-id'] !== undefined };
}
