import { Agent, globalAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { isLoopbackHost } from 'agent-relay-wire/node';

/** A URL does not say it where it is this one. */
const HTTP_PORT = 80;

/** What the environment says of proxies, where Node itself goes by it (`NODE_USE_ENV_PROXY`, `--use-env-proxy`). */
type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

const ownProxies = (): ProxyEnvironment | undefined =>
  (globalAgent as { readonly options?: { readonly proxyEnv?: ProxyEnvironment } }).options?.proxyEnv ??
  proxiesOfFetch(process.versions.node, process.env);

/** From 24.0 to 24.4 `fetch` alone went by the variable, and there was no flag yet. */
export const proxiesOfFetch = (version: string, env: ProxyEnvironment): ProxyEnvironment | undefined =>
  /^24\.[0-4]\./u.test(version) && env['NODE_USE_ENV_PROXY'] ? env : undefined;

function urlOf(address: string | URL): URL | null {
  if (typeof address !== 'string') return address;
  return URL.canParse(address) ? new URL(address) : null;
}

/** The platform's `fetch`; to this machine itself through no proxy, whatever the environment says. */
export function fetchTo(address: string | URL): typeof globalThis.fetch {
  const url = urlOf(address);
  if (url === null || !isLoopbackHost(url.hostname) || ownProxies() === undefined) return globalThis.fetch;
  const agent = url.protocol === 'https:' ? new HttpsAgent() : new Agent();
  return fetchBy(() => ({ agent }));
}

/** What somebody should know before a token is sent to an address by `fetchTo`: that a proxy reads along. Null where none does. */
export function proxyOnTheWay(address: string, proxies = ownProxies()): string | null {
  const url = urlOf(address);
  if (url?.protocol !== 'http:' || isLoopbackHost(url.hostname)) return null;
  const proxy = proxies?.['http_proxy'] || proxies?.['HTTP_PROXY'];
  return !proxy || isExcepted(url, proxies?.['no_proxy'] || proxies?.['NO_PROXY']) ? null : readByProxy(url);
}

/** That a proxy reads along, in words. */
export const readByProxy = ({ origin, hostname }: URL): string =>
  `The way to ${origin} leads through a proxy of the environment and is not encrypted: the proxy can read the token. Use https, or name ${hostname} in NO_PROXY.`;

/** As Node reads it: `*`, a host, with or without a port, or what hosts end with. */
const isExcepted = ({ hostname, port }: URL, list = ''): boolean =>
  list
    .toLowerCase()
    .split(/[\s,]+/u)
    .some(
      (entry) =>
        ['*', hostname, `${hostname}:${port || HTTP_PORT}`].includes(entry) ||
        (/^\*?\./u.test(entry) && hostname.endsWith(entry.replace('*', ''))),
    );

/** How connections to a server go out: by an agent, such as one for a proxy, and trusting these authorities, as PEM, and no others. */
export interface OutgoingWay {
  readonly agent?: Agent;
  readonly ca?: readonly string[];
}

/** `fetch` by an agent and with authorities of one's own. It follows no redirects. Fails with a `TypeError`, as the platform's does. */
export const outgoingFetch = ({ agent, ca }: OutgoingWay): typeof globalThis.fetch =>
  fetchBy(() => ({ ...(agent && { agent }), ...(ca && { ca: [...ca] }) }));

/** `fetch` by Node's own requests, for what the platform's has no word for. `way` throws what nothing is sent because of. */
export function fetchBy(way: () => RequestOptions & { readonly ca?: string[] }): typeof globalThis.fetch {
  return async (input, init) => {
    const asked = new Request(input, init);
    const body = asked.body === null ? undefined : Buffer.from(await asked.arrayBuffer());
    return new Promise<Response>((resolve, reject) => {
      const { protocol, hostname, port, host, pathname, search } = new URL(asked.url);
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const headers = { ...Object.fromEntries(asked.headers), ...length, host };
      const { method, signal } = asked;
      let out: ReturnType<typeof way>;
      try {
        out = way();
      } catch (cause) {
        reject(new TypeError('fetch failed', { cause }));
        return;
      }
      const where = { hostname: hostname.replace(/^\[|\]$/gu, ''), port, path: pathname + search };
      const open = protocol === 'https:' && out.socketPath === undefined ? httpsRequest : httpRequest;
      const request = open({ ...where, method, headers, signal, ...out }, (response) => resolve(asResponse(response)));
      request.on('error', (cause) => reject(signal.aborted ? signal.reason : new TypeError('fetch failed', { cause })));
      request.end(body);
    });
  };
}

/** Statuses whose answers have no body, not even an empty one. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

function asResponse(response: IncomingMessage): Response {
  const { statusCode: status = 502, rawHeaders } = response;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  if (bodiless.has(status)) {
    response.resume();
    return new Response(null, { status, headers });
  }
  // Node's own stream of the same standard; its types and the platform's do not know each other.
  const body = Readable.toWeb(response) as NodeStream<Uint8Array> as ReadableStream<Uint8Array>;
  return new Response(body, { status, headers });
}
