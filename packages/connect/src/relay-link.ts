import type { OutgoingWay } from 'agent-relay-client/node';
import {
  loosely,
  type MethodRequest,
  type MethodResult,
  type NodeMethodName,
  nodeMethods,
  type RouteName,
  type RouteOutput,
  type RouteRequest,
  routes,
  VERSION_HEADER,
  WEB_SOCKET_PATH,
  waitMsOf,
} from 'agent-relay-protocol';
import { type DuplexClosed, JsonRpcPeer, type MessageDuplex } from 'agent-relay-wire';
import { assertSocketOfOwner, type ConnectWebSocketOptions, connectWebSocket } from 'agent-relay-wire/node';
import type { z } from 'zod';

export interface RelayWay {
  /** The relay's http(s) address. */
  readonly url: URL;
  /** The relay's socket in the file system: connects there instead of to the address. */
  readonly socketPath?: string | undefined;
  /** A file whose owner must own that socket. Default: this process's user must. */
  readonly socketOwnerFile?: string | undefined;
  /** Default: straight, and trusting the authorities of Node. */
  readonly outgoing?: OutgoingWay | undefined;
  readonly token: string;
  /** Gives up before it is open. */
  readonly signal?: AbortSignal;
}

export interface OpenLinkOptions extends RelayWay {
  /** Answers a command of the relay. */
  readonly onCommand: (method: string, params: unknown) => Promise<unknown>;
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onError: (error: unknown, method: string) => void;
}

/** How long the relay may take for an answer before the link counts as dead. */
const ANSWER_LIMIT_MS = 20_000;

/** One open connection to the relay: typed calls out; everything in goes to the callbacks. */
export class RelayLink {
  readonly closed: Promise<DuplexClosed>;
  readonly #peer: JsonRpcPeer;
  /** By which answers are read, made when first needed: the relay may be of a later version. */
  readonly #readers = new Map<string, z.ZodType>();
  #isOpen = true;

  private constructor(duplex: MessageDuplex, options: OpenLinkOptions) {
    this.#peer = new JsonRpcPeer(duplex, {
      onRequest: (method, params) => options.onCommand(method, params),
      onNotification: (method, params) => options.onNotification(method, params),
      onError: options.onError,
      defaultTimeoutMs: ANSWER_LIMIT_MS,
    });
    this.closed = this.#peer.closed.then((closed) => {
      this.#isOpen = false;
      return closed;
    });
  }

  /** @throws RelayError `unauthorized`, `connection_closed`, `timeout` and the like, or the signal's reason. */
  static async open(options: OpenLinkOptions): Promise<RelayLink> {
    return new RelayLink(await openSocket(options, WEB_SOCKET_PATH), options);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async callNode<Name extends NodeMethodName>(name: Name, params: MethodRequest<Name>): Promise<MethodResult<Name>> {
    const answer = await this.#peer.request(name, params);
    // The schema found under a name makes exactly that name's result; the compiler cannot follow the key.
    return this.#reader(name, nodeMethods[name].result).parse(answer) as MethodResult<Name>;
  }

  async callRoute<Name extends RouteName>(name: Name, input: RouteRequest<Name>): Promise<RouteOutput<Name>> {
    const answer = await this.#peer.request(name, input, { timeoutMs: ANSWER_LIMIT_MS + waitMsOf(name, input) });
    // As above.
    return this.#reader(name, routes[name].output).parse(answer) as RouteOutput<Name>;
  }

  request(method: string, params: unknown): Promise<unknown> {
    return this.#peer.request(method, params);
  }

  /** Lost when the link is. */
  notify(method: string, params: unknown): void {
    this.#peer.notify(method, params).catch(() => {
      // What is only live has nobody to be told that it was lost.
    });
  }

  close(): Promise<void> {
    return this.#peer.close({ code: 1000, reason: 'relay-connect is leaving' });
  }

  #reader(name: string, schema: z.ZodType): z.ZodType {
    const reader = this.#readers.get(name) ?? loosely(schema);
    this.#readers.set(name, reader);
    return reader;
  }
}

/** A WebSocket of the relay's at a path. @throws as `connectWebSocket`. */
export function openSocket(
  { url: relay, socketPath, socketOwnerFile, outgoing = {}, token, signal }: RelayWay,
  path: string,
  options: Pick<ConnectWebSocketOptions, 'framing'> = {},
): Promise<MessageDuplex> {
  const url = new URL(path, relay);
  url.protocol = relay.protocol === 'https:' ? 'wss:' : 'ws:';
  if (socketPath !== undefined) assertSocketOfOwner(socketPath, socketOwnerFile);
  const { agent, ca } = outgoing;
  const straight = { ...(agent && { agent }), ...(ca && { tls: { ca: [...ca] } }) };
  const door = socketPath === undefined ? straight : { unixSocketPath: socketPath };
  const headers = { authorization: `Bearer ${token}` };
  return connectWebSocket(url, {
    headers,
    ...(signal && { signal }),
    pingIntervalMs: 10_000,
    serverHeader: VERSION_HEADER,
    ...door,
    ...options,
  });
}
