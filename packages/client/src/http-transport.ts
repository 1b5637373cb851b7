import {
  API_PREFIX,
  callTable,
  type ErrorCode,
  RelayError,
  relayErrorFromBody,
  toRelayError,
  VERSION_HEADER,
  waitMsOf,
} from 'agent-relay-protocol';
import type { Transport } from './calls.ts';
import type { VersionWatch } from './version-watch.ts';

interface HttpOptions {
  readonly baseUrl: string;
  readonly token: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly versions: VersionWatch;
}

/** Makes each call one HTTP request. */
export function httpTransport(options: HttpOptions): Transport {
  return async (name, request, { signal, timeoutMs }) => {
    const { method, path } = callTable[name];
    const { url, rest } = locate(options.baseUrl, path, request);
    const hasBody = method === 'POST' || method === 'PATCH';
    if (!hasBody) appendQuery(url, rest);
    const limitMs = (timeoutMs ?? options.timeoutMs) + waitMsOf(name, request);
    const response = await sendRequest(options, url, {
      method,
      headers: { ...authorization(options.token), ...(hasBody ? { 'content-type': 'application/json' } : {}) },
      ...(hasBody ? { body: JSON.stringify(rest) } : {}),
      signal: withDeadline(signal, limitMs),
    });
    options.versions.seeHeaders(response.headers);
    return readAnswer(response);
  };
}

export const authorization = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** The platform's `fetch`, with its failures as RelayErrors; an abort by the caller stays the caller's reason. */
export async function sendRequest(
  { fetch, baseUrl }: Pick<HttpOptions, 'fetch' | 'baseUrl'>,
  url: URL,
  init: RequestInit,
): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw asTransportError(error, baseUrl, init.signal ?? undefined);
  }
}

export async function readFailure(response: Response): Promise<RelayError> {
  return failureIn(await response.json().catch(() => null), response);
}

/** What a code that only a later version knows means here, where its status says enough to act by. */
const fallbacks: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  410: 'gone',
  429: 'rate_limited',
  503: 'overloaded',
};

function failureIn(body: unknown, response: Response): RelayError {
  const error: unknown = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  if (typeof error === 'object' && error !== null) return relayErrorFromBody(error, fallbacks[response.status]);
  if (!response.headers.has(VERSION_HEADER)) return notTheRelay(response);
  return new RelayError('internal', `The relay answered with status ${response.status} and no reason`);
}

/** A proxy or gateway answered in the relay's place: the relay is away, and comes back. */
export const notTheRelay = (response: Response): RelayError =>
  new RelayError('connection_closed', `The relay is away: something in between answered with status ${response.status}`, {
    details: { httpStatus: response.status },
  });

async function readAnswer(response: Response): Promise<unknown> {
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    // An answer that says the relay is not well (health) is one all the same: only an error has an `error`.
    if (response.headers.has(VERSION_HEADER) && typeof body === 'object' && body !== null && !('error' in body)) return body;
    throw failureIn(body, response);
  }
  try {
    return await response.json();
  } catch (error) {
    throw new RelayError('connection_closed', 'The answer of the relay ended early', { cause: error });
  }
}

function asTransportError(error: unknown, baseUrl: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) {
    const reason: unknown = signal.reason;
    if (reason instanceof DOMException && reason.name === 'TimeoutError')
      return new RelayError('timeout', 'The relay did not answer in time', { cause: error });
    return reason;
  }
  if (error instanceof TypeError) return new RelayError('connection_closed', `Cannot reach the relay at ${baseUrl}`, { cause: error });
  return toRelayError(error);
}

function locate(baseUrl: string, path: string, request: object): { readonly url: URL; readonly rest: Record<string, unknown> } {
  const rest: Record<string, unknown> = { ...request };
  const filled = path.replace(/:(\w+)/gu, (_, key: string) => {
    const value = rest[key];
    delete rest[key];
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new RelayError('validation_failed', `${key}: a string or number is needed`, {
        issues: [{ path: key, message: 'A string or number is needed' }],
      });
    }
    return encodeURIComponent(value);
  });
  return { url: new URL(`${baseUrl}${API_PREFIX}${filled}`), rest };
}

export function appendQuery(url: URL, query: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const part of Array.isArray(value) ? value : [value]) url.searchParams.append(key, String(part));
  }
}

function withDeadline(signal: AbortSignal | undefined, limitMs: number): AbortSignal {
  const deadline = AbortSignal.timeout(limitMs);
  return signal ? AbortSignal.any([signal, deadline]) : deadline;
}
