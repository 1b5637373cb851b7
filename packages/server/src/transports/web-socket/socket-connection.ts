import { AUTHENTICATE_WITHIN_MS, errorTable, type Principal, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer, type MessageDuplex, type RequestContext } from 'agent-relay-wire';
import { TurnPace } from 'agent-relay-wire/node';
import type { Logger } from '../../logger.ts';
import type { CallContext, Relay } from '../../relay/contract/relay-contract.ts';
import type { Authenticator, Caller } from '../credentials.ts';
import type { Draining } from '../draining.ts';
import type { EncodedEvents } from '../encoded-events.ts';
import type { FairTurns } from '../fair-turns.ts';
import { isShortRead, type RouteCall } from '../route-calls.ts';
import { limitBatches } from './limited-duplex.ts';
import { SocketNodeLink } from './node-link.ts';
import type { SocketMethod, SocketSpeaker } from './socket-method.ts';
import { Subscriptions } from './subscriptions.ts';

export interface SocketConnectionDeps {
  readonly relay: Relay;
  readonly calls: ReadonlyMap<string, RouteCall>;
  readonly methods: ReadonlyMap<string, SocketMethod>;
  readonly notifications: ReadonlyMap<string, SocketMethod>;
  readonly authenticator: Authenticator;
  readonly encoded: EncodedEvents;
  readonly draining: Draining;
  readonly turns: FairTurns;
  readonly log: Logger;
  /** How long a caller without a credential may take to name itself. */
  readonly authenticateWithinMs?: number;
}

/** What an upgrade said about who comes. */
export interface Introduction {
  readonly caller: Caller;
  /** A browser's, good only with the word that belongs to it. */
  readonly cookie: string | undefined;
}

/** How long a socket whose token has ended stays open for answers in hand. */
const ANSWER_WITHIN_MS = 500;
/** Requests of one socket that may wait at a time; each is small, but what it waits for is not free. */
const MAX_CONCURRENT_REQUESTS = 1_024;

/** So long one turn of the event loop may go on with the frames of one socket. */
const TURN_BUDGET_MS = 1;
/** Where the answers to a batch are this long, what it would still read is refused: they all have to be held until the last is there. */
const MAX_BATCH_ANSWER_CHARACTERS = 1024 * 1024;

/**
 * One client's socket: every route and every socket method as JSON-RPC.
 *
 * States: *nameless* while `principal` is null, when only `auth/authenticate` is answered and time runs; *named* for good after it;
 * *closed* with the peer, when its subscriptions and its node link end.
 */
export class SocketConnection implements SocketSpeaker {
  readonly peer: JsonRpcPeer;
  readonly subscriptions: Subscriptions;
  readonly link: SocketNodeLink;
  readonly closed: Promise<void>;
  readonly cookie: string | undefined;
  readonly #deps: SocketConnectionDeps;
  readonly #controller = new AbortController();
  #principal: Caller;
  #isAttached = false;
  #hasEnded = false;
  /** Requests that are being answered. */
  #inHand = 0;

  constructor(duplex: MessageDuplex, { caller, cookie }: Introduction, deps: SocketConnectionDeps) {
    this.cookie = cookie;
    this.#deps = deps;
    this.#principal = caller;
    const limited = limitBatches(duplex);
    const line = deps.turns.openLine();
    this.peer = new JsonRpcPeer(limited, {
      lane: { takes: this.#isRead, run: (start) => line.add(start) },
      pace: new TurnPace(limited, TURN_BUDGET_MS),
      onRequest: this.#receiveRequest,
      onNotification: this.#receiveNotification,
      onError: (error, method) => deps.log.error('socket request failed', { method, error }),
      maxConcurrentRequests: MAX_CONCURRENT_REQUESTS,
    });
    this.subscriptions = new Subscriptions({
      peer: this.peer,
      encoded: deps.encoded,
      onBug: (error) => deps.log.error('subscription failed', { error }),
    });
    this.link = new SocketNodeLink(this.peer);
    this.closed = this.#untilClosed(deps.draining);
    if (caller) this.#closeWith(caller);
  }

  get principal(): Caller {
    return this.#principal;
  }

  speakAs(principal: Principal): void {
    this.#principal = principal;
    this.#closeWith(principal);
  }

  /** A socket does not outlive the token it speaks for. */
  #closeWith(principal: Principal): void {
    const end = this.#deps.relay.endOf(principal);
    if (!end) return;
    const close = () => {
      this.#hasEnded = true;
      this.#closeWhenAnswered();
      setTimeout(this.#close, ANSWER_WITHIN_MS).unref();
    };
    if (end.aborted) close();
    end.addEventListener('abort', close, { once: true, signal: this.#controller.signal });
  }

  /** Whoever ends itself hears that it did: what it had asked before is answered first, and nothing that it asks from now on. */
  #closeWhenAnswered(): void {
    if (this.#hasEnded && this.#inHand === 0) setImmediate(this.#close);
  }

  readonly #close = (): void => void this.peer.close({ code: errorTable.unauthorized.closeCode, reason: 'The token has ended' });

  get authenticator(): Authenticator {
    return this.#deps.authenticator;
  }

  get relay(): Relay {
    return this.#deps.relay;
  }

  markAttached(): void {
    this.#isAttached = true;
    if (this.#controller.signal.aborted) this.#deps.relay.nodeDetached(this.link);
  }

  readonly #isRead = (method: string, params: unknown): boolean => {
    const call = this.#principal && this.#deps.calls.get(method);
    return call ? isShortRead(call, params) : false;
  };

  readonly #receiveRequest = (method: string, params: unknown, request: RequestContext): unknown => {
    const principal = this.#principal;
    if (principal) this.#deps.relay.assertLive(principal);
    const call = this.#deps.calls.get(method);
    if (call && principal) {
      if (call.route.method === 'GET') assertRoom(request);
      call.figures.socket += 1;
      return this.#counted(call.call(params, new SocketCall(principal, request)));
    }
    const socketMethod = this.#deps.methods.get(method);
    if (!call && !socketMethod) throw new RelayError('unknown_method', 'There is no such method');
    if (socketMethod?.isOpenToNameless) return socketMethod.run(this, params, request);
    if (!principal) throw new RelayError('unauthorized', 'Name yourself first: auth/authenticate');
    return socketMethod?.run(this, params, request);
  };

  #counted(answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer;
    this.#inHand += 1;
    return answer.finally(() => {
      this.#inHand -= 1;
      this.#closeWhenAnswered();
    });
  }

  readonly #receiveNotification = (method: string, params: unknown): unknown => {
    const notification = this.#deps.notifications.get(method);
    if (!notification || !this.#principal) return undefined;
    try {
      this.#deps.relay.assertLive(this.#principal);
      return notification.run(this, params, this.#controller);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      // A notification has no answer to put the refusal in.
      this.#deps.log.debug('notification refused', { method, code: error.code });
      return undefined;
    }
  };

  async #untilClosed(draining: Draining): Promise<void> {
    const { authenticateWithinMs = AUTHENTICATE_WITHIN_MS } = this.#deps;
    const silence = setTimeout(() => {
      if (this.#principal) return;
      void this.peer.close({ code: errorTable.unauthorized.closeCode, reason: 'Nobody named themselves in time' });
    }, authenticateWithinMs);
    silence.unref();
    const forget = draining.onDrain(() => void this.peer.close({ code: 1001, reason: 'The relay is stopping' }));
    await this.peer.closed;
    clearTimeout(silence);
    forget();
    this.#controller.abort(new RelayError('connection_closed', 'The socket was closed'));
    this.subscriptions.close();
    if (this.#isAttached) this.#deps.relay.nodeDetached(this.link);
  }
}

/** One request of a socket as the relay sees it. */
class SocketCall implements CallContext {
  readonly principal: Principal;
  readonly #request: Pick<RequestContext, 'signal'>;

  constructor(principal: Principal, request: Pick<RequestContext, 'signal'>) {
    this.principal = principal;
    this.#request = request;
  }

  /** The peer makes it on first use. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}

function assertRoom({ batchCharacters }: RequestContext): void {
  if (batchCharacters < MAX_BATCH_ANSWER_CHARACTERS) return;
  const details = { maxCharacters: MAX_BATCH_ANSWER_CHARACTERS };
  throw new RelayError('payload_too_large', 'The answers to this batch are too long together: ask for this one by itself', { details });
}
