import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { RelayError } from 'agent-relay-protocol';
import { isLoopbackHost } from 'agent-relay-wire/node';

export interface RequestGuardOptions {
  /** The address the relay listens on. */
  readonly bindHost: string;
  /** Further names that people reach the relay under, without ports. */
  readonly allowedHosts: readonly string[];
  /** Origins of other sites' pages that may call the relay; `*` for every one. */
  readonly corsOrigins: readonly string[];
}

/** Where a request's page came from. `none`: no browser, or one that does not say. */
export type RequestOrigin = 'none' | 'same' | 'allowed';

/**
 * Refuses what a page of another site can make a browser send: a `Host` that is not ours (DNS rebinding) and an `Origin` that is not ours.
 * A program sends no `Origin` and passes.
 */
export class RequestGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #acceptsAddresses: boolean;

  constructor({ bindHost, allowedHosts, corsOrigins }: RequestGuardOptions) {
    this.#hosts = new Set(['localhost', ...[bindHost, ...allowedHosts].map((host) => withoutBrackets(host.toLowerCase()))]);
    this.#origins = new Set(corsOrigins.map((origin) => origin.toLowerCase()));
    this.#acceptsAddresses = !isLoopbackHost(bindHost);
  }

  /** @throws RelayError `misdirected_host`, `forbidden_origin`. */
  check(headers: IncomingHttpHeaders): RequestOrigin {
    const host = headers.host ?? '';
    if (!this.#isOurHost(host)) {
      throw new RelayError('misdirected_host', 'This relay does not answer under that host name: name it in AGENT_RELAY_ALLOWED_HOSTS');
    }
    const { origin } = headers;
    if (origin === undefined) return 'none';
    if (isSameOrigin(origin, host)) return 'same';
    if (this.#origins.has('*') || this.#origins.has(origin.toLowerCase())) return 'allowed';
    throw new RelayError('forbidden_origin', 'Pages of this origin may not use the relay: name it in AGENT_RELAY_CORS_ORIGINS');
  }

  /** For what only programs and our own pages may reach: a browser leaves `Origin` out of a plain GET, but says that the page was another's. */
  checkFetchSite(headers: IncomingHttpHeaders): void {
    const site = headers['sec-fetch-site'];
    if (headers.origin !== undefined || site === undefined || site === 'same-origin' || site === 'none') return;
    throw new RelayError('forbidden_origin', 'Pages of other sites may not use the relay');
  }

  #isOurHost(host: string): boolean {
    const name = hostName(host);
    if (name === undefined) return false;
    if (this.#hosts.has(name) || isLoopbackHost(name)) return true;
    // An address cannot be rebound to another one, only a name can.
    return this.#acceptsAddresses && isIP(name) !== 0;
  }
}

const withoutBrackets = (host: string): string => (host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host);

function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/iu.exec(host);
  return match?.[1] === undefined ? undefined : withoutBrackets(match[1].toLowerCase());
}

function isSameOrigin(origin: string, host: string): boolean {
  const match = /^https?:\/\/(.+)$/iu.exec(origin);
  return match?.[1] !== undefined && withoutDefaultPort(match[1].toLowerCase()) === withoutDefaultPort(host.toLowerCase());
}

/** A browser leaves the port of its scheme out of `Origin` and `Host` alike, a proxy may add it. */
const withoutDefaultPort = (host: string): string => host.replace(/:(?:80|443)$/u, '');
