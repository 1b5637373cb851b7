import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Principal, RelayError } from 'agent-relay-protocol';
import { isLoopbackAddress } from 'agent-relay-wire/node';
import type { Relay } from '../relay/contract/relay-contract.ts';
import { openSession } from './browser-session.ts';
import type { RequestOrigin } from './request-guard.ts';

/** What the name of the cookie begins with that a browser gets through a login link or with a token. */
export const SESSION_COOKIE = 'agent_relay_session';

/** Browsers keep cookies by host, whatever the port: each database has a name of its own, so that two relays of a host do not log each other out. */
export const sessionCookieOf = ({ generation }: Pick<Relay, 'generation'>): string => `${SESSION_COOKIE}_${generation}`;

export interface AuthenticatorDeps {
  readonly relay: Pick<Relay, 'authenticate' | 'generation' | 'workspace'>;
  /** Whether programs on other machines may come without a token. */
  readonly allowRemoteAnonymous: boolean;
  /** Whether programs of this machine need one as well: what a proxy here lets in looks like one of them. Default false. */
  readonly requireToken?: boolean;
}

/** The word that a browser's page sends with its cookie. */
export const SESSION_HEADER = 'x-agent-relay-session';

/**
 * What a browser's cookie holds, good or not; undefined when it has none of this relay.
 * @throws RelayError `forbidden_origin` when another page makes the browser send it.
 */
export function sessionCookieIn(request: IncomingMessage, origin: RequestOrigin, relay: Pick<Relay, 'generation'>): string | undefined {
  const cookie = cookieOf(request.headers, sessionCookieOf(relay));
  return cookie !== undefined && mayUseCookie(request, origin) ? cookie : undefined;
}

/** The token of a browser's session; `null` when its cookie and its word do not belong together, undefined when either is missing. */
export function sessionOf(request: IncomingMessage, origin: RequestOrigin, relay: Pick<Relay, 'generation'>): string | null | undefined {
  const cookie = sessionCookieIn(request, origin, relay);
  const word = request.headers[SESSION_HEADER];
  // A browser sends the cookie of a host to all of its ports, and whoever got it there may send it here.
  return cookie === undefined || typeof word !== 'string' ? undefined : openSession({ cookie, word });
}

/** `null`: no credential, and nobody who may do without one. */
export type Caller = Principal | null;

/** Who a request or an upgrade speaks for. */
export class Authenticator {
  readonly #relay: AuthenticatorDeps['relay'];
  readonly #allowRemoteAnonymous: boolean;
  readonly #requireToken: boolean;

  constructor({ relay, allowRemoteAnonymous, requireToken = false }: AuthenticatorDeps) {
    this.#relay = relay;
    this.#allowRemoteAnonymous = allowRemoteAnonymous;
    this.#requireToken = requireToken;
  }

  /** @throws RelayError `unauthorized` when a credential is given and is not good. */
  async authenticateRequest(request: IncomingMessage, origin: RequestOrigin): Promise<Caller> {
    const token = tokenOf(request.headers);
    if (token !== undefined) return this.authenticateToken(token);
    const session = sessionOf(request, origin, this.#relay);
    if (session !== undefined) return this.#authenticateSession(session);
    // A page of another site is no program of this machine, whatever address its browser has.
    if (origin === 'allowed' || this.#requireToken) return null;
    return this.#allowRemoteAnonymous || isLocalPeer(request) ? { type: 'anonymous', workspace: this.#relay.workspace } : null;
  }

  /** @throws RelayError `unauthorized`. */
  async authenticateToken(token: string): Promise<Principal> {
    return valid(await this.#relay.authenticate(token));
  }

  /** For a socket, whose upgrade carried the cookie and whose first frame carries the word. @throws RelayError `unauthorized`. */
  authenticateBrowser(cookie: string | undefined, word: string): Promise<Principal> {
    return this.#authenticateSession(cookie === undefined ? null : openSession({ cookie, word }));
  }

  async #authenticateSession(token: string | null): Promise<Principal> {
    return valid(token === null ? null : await this.#relay.authenticate(token, 'browser'));
  }
}

function valid(principal: Principal | null): Principal {
  if (principal === null) throw new RelayError('unauthorized', 'The token is not valid here, or not any more');
  return principal;
}

function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const match = /^Bearer +(\S+) *$/iu.exec(authorization);
    if (match?.[1] === undefined) throw new RelayError('unauthorized', 'Authorization has the form: Bearer <token>');
    return match[1];
  }
  const header = headers['x-agent-relay-token'];
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || header === '') throw new RelayError('unauthorized', 'X-Agent-Relay-Token is empty');
  return header;
}

function cookieOf(headers: IncomingHttpHeaders, cookieName: string): string | undefined {
  for (const part of headers.cookie?.split(';') ?? []) {
    const [name, value] = part.trim().split('=', 2);
    if (name === cookieName && value !== undefined && value !== '') return decoded(value);
  }
  return undefined;
}

/** What is not ours is no token either way. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** A browser sends the cookie by itself: whatever changes something, an upgrade included, must come from our own page. */
function mayUseCookie(request: IncomingMessage, origin: RequestOrigin): boolean {
  const isSafe = (request.method === 'GET' || request.method === 'HEAD') && request.headers.upgrade === undefined;
  if (origin === 'same' || (isSafe && origin === 'none')) return true;
  throw new RelayError('forbidden_origin', "A request with the dashboard's cookie comes from the dashboard's own page");
}

/** A proxy in front of the relay connects from loopback for callers that may be anywhere. */
function isLocalPeer(request: IncomingMessage): boolean {
  const { forwarded, 'x-forwarded-for': forwardedFor } = request.headers;
  const { remoteAddress } = request.socket;
  // What comes through a socket in the file system has no address, and is of this machine.
  return forwarded === undefined && forwardedFor === undefined && (remoteAddress === undefined || isLoopbackAddress(remoteAddress));
}
