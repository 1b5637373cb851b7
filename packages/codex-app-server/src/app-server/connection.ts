import { RelayError } from 'agent-relay-protocol';
import { type DuplexClosed, JsonRpcError, JsonRpcPeer, type MessageDuplex, type RequestContext } from 'agent-relay-wire';
import { parseAnswer } from './errors.ts';
import { InitializeResult } from './methods.ts';

export interface ClientInfo {
  readonly name: string;
  readonly title?: string;
  /** Codex refuses a client without one. */
  readonly version: string;
}

export interface ConnectionOptions {
  readonly clientInfo: ClientInfo;
  /** Notifications not to send, by exact name. */
  readonly optOutNotificationMethods: readonly string[];
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onRequest: (context: RequestContext, params: unknown) => unknown;
  readonly onError: (error: unknown, method: string) => void;
  readonly initializeTimeoutMs: number;
}

/** One initialized connection to an app-server, from its handshake to its end. */
export class CodexConnection {
  readonly userAgent: string;
  /** Whether the server lets us use what it calls experimental. */
  readonly isExperimental: boolean;
  readonly #peer: JsonRpcPeer;

  private constructor(peer: JsonRpcPeer, { userAgent, isExperimental }: { userAgent: string; isExperimental: boolean }) {
    this.#peer = peer;
    this.userAgent = userAgent;
    this.isExperimental = isExperimental;
  }

  static async initialize(duplex: MessageDuplex, options: ConnectionOptions): Promise<CodexConnection> {
    const peer = new JsonRpcPeer(duplex, {
      omitVersion: true,
      // Codex never answers a frame it cannot read and would take our complaint for a broken response.
      answerInvalid: false,
      onNotification: options.onNotification,
      onRequest: (_method, params, context) => options.onRequest(context, params),
      onError: options.onError,
    });
    try {
      const asked = await initialize(peer, options, true);
      const result = asked ?? (await initialize(peer, options, false));
      if (!result) throw new RelayError('unsupported', 'The app-server refused to be initialized');
      await peer.notify('initialized');
      return new CodexConnection(peer, { userAgent: result.userAgent, isExperimental: asked !== undefined });
    } catch (error) {
      await peer.close();
      throw error;
    }
  }

  get closed(): Promise<DuplexClosed> {
    return this.#peer.closed;
  }

  request(method: string, params: unknown, options: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<unknown> {
    return this.#peer.request(method, params, options);
  }

  close(): Promise<void> {
    return this.#peer.close();
  }
}

/** `undefined`: the server does not know the experimental capability. */
async function initialize(
  peer: JsonRpcPeer,
  options: ConnectionOptions,
  experimentalApi: boolean,
): Promise<{ userAgent: string } | undefined> {
  const { clientInfo, optOutNotificationMethods, initializeTimeoutMs } = options;
  const capabilities = experimentalApi
    ? { experimentalApi, requestAttestation: false, optOutNotificationMethods }
    : { optOutNotificationMethods };
  try {
    const answer = await peer.request('initialize', { clientInfo, capabilities }, { timeoutMs: initializeTimeoutMs });
    return parseAnswer(InitializeResult, 'initialize', answer);
  } catch (error) {
    const isRefused = error instanceof JsonRpcError && /capabilit|experimental/iu.test(error.message);
    if (experimentalApi && isRefused) return undefined;
    throw error;
  }
}
