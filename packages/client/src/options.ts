import type { Version } from 'agent-relay-protocol';
import type { MessageDuplex } from 'agent-relay-wire';

/** What a relay runs, beside what this client was made for. */
export interface VersionSeen {
  readonly relay: Version;
  readonly client: Version;
  readonly matches: boolean;
}

/** How a socket to a relay is opened; `token` is absent when a cookie or nothing speaks for the caller. */
export type ConnectSocket = (url: string, options: { readonly token?: string; readonly signal: AbortSignal }) => Promise<MessageDuplex>;

/** How a client finds out that the network below its socket was cut, which says nothing: it asks, and waits for an answer. */
export interface LivenessOptions {
  /** How long after an answer the next question follows, in ms. Default 1 000. */
  readonly everyMs?: number;
  /** How long an answer may take, in ms, until `onQuiet` is told. Default 1 000. */
  readonly quietAfterMs?: number;
  /** How long it may take until the socket is given up for another, in ms. Default 8 000. */
  readonly cutAfterMs?: number;
  /** Told `true` when the relay leaves a question open, and `false` when it answers after all or is connected again. */
  readonly onQuiet?: (isQuiet: boolean) => void;
}

export interface RelayClientOptions {
  /** Where the relay is, e.g. `http://127.0.0.1:4850`. */
  readonly url: string;
  /** Sent as a bearer with every request. */
  readonly token?: string;
  /** In a browser: the word that belongs to the session's cookie, or `null` without a session; asked at each connection of the socket. */
  readonly session?: () => string | null;
  /**
   * `http` makes each call a request and follows events over SSE; `socket` does everything over one WebSocket.
   * Activity always uses a WebSocket. Default `http`.
   */
  readonly transport?: 'http' | 'socket';
  /** Default: the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Default: the platform's `WebSocket`, authenticated in its first frame. `agent-relay-client/node` brings one for Node. */
  readonly connectSocket?: ConnectSocket;
  /** Told what the relay runs when it first answers, and again when that changes: `matches` is false when the protocols differ or the versions do. */
  readonly onVersion?: (seen: VersionSeen) => void;
  /** Has the socket watched. Default: an end that nobody says is noticed when the operating system gives up, which takes minutes. */
  readonly liveness?: LivenessOptions;
  /** How long one call may take, in ms, beyond what it was asked to wait. Default 30 000. */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}
