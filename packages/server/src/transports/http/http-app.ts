import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  API_PREFIX,
  EVENTS_PATH,
  MCP_PATH,
  NODE_PAIRING_OUTCOME_PATH,
  NODE_PAIRING_PATH,
  type Principal,
  principalName,
  RelayError,
  toRelayError,
} from 'agent-relay-protocol';
import type { Logger } from '../../logger.ts';
import type { Authenticator } from '../credentials.ts';
import type { Draining } from '../draining.ts';
import type { FairTurns } from '../fair-turns.ts';
import type { OpenConnections } from '../open-connections.ts';
import type { RequestGuard, RequestOrigin } from '../request-guard.ts';
import { isShortRead, type RouteCall } from '../route-calls.ts';
import { MARKETPLACE_PATH } from '../static/marketplace.ts';
import { type Answer, errorAnswer, methodNotAllowed, writeAnswer } from './answer.ts';
import { allowOrigin, answerOptions } from './cors.ts';
import { discardBody } from './discard-body.ts';
import type { Endpoint, Exchange } from './endpoint.ts';
import { HttpCall } from './http-call.ts';
import { METRICS_PATH } from './metrics.ts';
import { readJsonBody } from './read-body.ts';
import { inLine, RequestQueues } from './request-queue.ts';
import { mergeInput } from './route-input.ts';
import { type MatchedRoute, Router } from './router.ts';

export interface HttpAppDeps {
  readonly calls: ReadonlyMap<string, RouteCall>;
  readonly guard: RequestGuard;
  readonly authenticator: Authenticator;
  readonly draining: Draining;
  readonly connections: Pick<OpenConnections, 'belongsTo'>;
  readonly turns: FairTurns;
  readonly log: Logger;
  readonly events: Endpoint;
  readonly login: Endpoint;
  readonly logout: Endpoint;
  readonly pairing: { readonly request: Endpoint; readonly outcome: Endpoint };
  readonly mcp: Endpoint;
  readonly metrics: Endpoint;
  readonly openApi: { readonly document: Endpoint; readonly page: Endpoint };
  readonly marketplace: Endpoint;
  /** Everything outside the API. */
  readonly pages: Endpoint;
}

/** Where a login code becomes a cookie; not in the route table, because only browsers have cookies. */
export const LOGIN_EXCHANGE_PATH = '/login-codes/exchange';
/** The session that this cookie stands for. */
export const LOGIN_SESSION_PATH = '/login-session';

/** Answers every HTTP request: guards it, finds what serves it, and turns whatever goes wrong into the one error body. */
export class HttpApp {
  readonly #deps: HttpAppDeps;
  readonly #router: Router;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #queues: RequestQueues;

  constructor(deps: HttpAppDeps) {
    this.#deps = deps;
    this.#router = new Router(deps.calls.values());
    this.#queues = new RequestQueues(deps.turns);
    this.#endpoints = new Map([
      [API_PREFIX + EVENTS_PATH, deps.events],
      [API_PREFIX + LOGIN_EXCHANGE_PATH, deps.login],
      [API_PREFIX + LOGIN_SESSION_PATH, deps.logout],
      [API_PREFIX + NODE_PAIRING_PATH, deps.pairing.request],
      [API_PREFIX + NODE_PAIRING_OUTCOME_PATH, deps.pairing.outcome],
      [MCP_PATH, deps.mcp],
      [API_PREFIX + MCP_PATH, deps.mcp],
      [METRICS_PATH, deps.metrics],
      [MARKETPLACE_PATH, deps.marketplace],
      [`${API_PREFIX}/openapi.json`, deps.openApi.document],
      [`${API_PREFIX}/spec`, deps.openApi.document],
      [`${API_PREFIX}/docs`, deps.openApi.page],
    ]);
  }

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => {}); // always followed by `close`, which is what anybody waits for
    this.#queues.of(request).add(response, () => {
      this.#serve(request, response)
        .catch((error: unknown) => this.#fail(error, request, response))
        .finally(() => {
          if (response.writableEnded) discardBody(request);
        });
    });
  };

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = this.#deps.guard.check(request.headers);
    if (origin === 'allowed') allowOrigin(request, response);
    const { path, query } = splitTarget(request.url ?? '');
    const exchange = { request, response, path, query, origin, authenticate: () => this.#authenticate(request, origin) };
    const isApi = path === MCP_PATH || path === METRICS_PATH || path.startsWith(`${API_PREFIX}/`);
    const endpoint = this.#endpoints.get(path) ?? (isApi ? undefined : this.#deps.pages);
    if (request.method === 'OPTIONS') {
      const allow = endpoint ? [...endpoint.methods, 'OPTIONS'] : this.#router.allowedMethods(path.slice(API_PREFIX.length));
      return answerOptions(request, response, allow);
    }
    if (isApi) this.#deps.guard.checkFetchSite(request.headers);
    if (!endpoint) return this.#serveRoute(exchange);
    if (!endpoint.methods.includes(request.method ?? '')) throw methodNotAllowed([...endpoint.methods, 'OPTIONS']);
    return endpoint.serve(exchange);
  }

  async #serveRoute(exchange: Exchange): Promise<void> {
    const startedAt = performance.now();
    const { request, response, path } = exchange;
    const route = this.#router.match(request.method ?? '', path.slice(API_PREFIX.length));
    const { http, httpSeconds } = route.call.figures;
    try {
      await this.#answerRoute(exchange, route);
    } catch (error) {
      this.#fail(error, request, response);
    }
    http[response.statusCode] = (http[response.statusCode] ?? 0) + 1;
    httpSeconds.observe((performance.now() - startedAt) / 1000);
  }

  async #answerRoute(
    { request, response, query, authenticate }: Exchange,
    { call, coercions, pathParameters }: MatchedRoute,
  ): Promise<void> {
    const principal = await authenticate();
    call.authorize(principal);
    const takesBody = request.method !== 'GET' && request.method !== 'HEAD';
    const body = takesBody ? await readJsonBody(request) : undefined;
    const input = mergeInput({ pathParameters, query, body }, coercions);
    const answer = async () => {
      const output = await call.call(input, new HttpCall(principal, response, this.#deps.draining));
      const { status = 200 } = call.route;
      writeAnswer(response, { status: typeof status === 'function' ? status(output) : status, body: output });
    };
    await (isShortRead(call, input) ? inLine(this.#queues.of(request).line, answer) : answer());
  }

  async #authenticate(request: IncomingMessage, origin: RequestOrigin): Promise<Principal> {
    const caller = await this.#deps.authenticator.authenticateRequest(request, origin);
    if (caller === null) throw new RelayError('unauthorized', 'This needs a token');
    const name = principalName(caller);
    this.#deps.connections.belongsTo(request.socket, () => name);
    return caller;
  }

  #fail(thrown: unknown, request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusal(thrown, request);
    if (response.headersSent) response.destroy();
    else writeAnswer(response, refusal);
  }

  #refusal(thrown: unknown, request: IncomingMessage): Answer {
    const error = toRelayError(thrown);
    if (error.code === 'internal') {
      this.#deps.log.error('request failed', { method: request.method, path: pathOnly(request.url ?? ''), error: error.cause });
    }
    return errorAnswer(error);
  }
}

/** A query may carry anything, also what a caller took for a place to put a token. */
const pathOnly = (target: string): string => target.split('?', 1)[0] ?? '';

function splitTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const questionMark = target.indexOf('?');
  const path = questionMark === -1 ? target : target.slice(0, questionMark);
  if (!path.startsWith('/')) throw new RelayError('not_found', 'There is nothing at this path');
  return { path, query: new URLSearchParams(questionMark === -1 ? '' : target.slice(questionMark + 1)) };
}
