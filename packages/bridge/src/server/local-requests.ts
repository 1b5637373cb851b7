import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopbackHost } from 'agent-relay-wire/node';

/**
 * Whether a request may come from this machine's own pages and programs, where nothing else is asked of it: any page can open a WebSocket here, and
 * gives itself away by its origin; a name that was pointed at this machine (DNS rebinding) does by the host.
 *
 * @param boundHost what the server listens on. Where that is more than loopback, addresses are hosts as well: no page can rebind one.
 */
export function isLocalRequest({ origin, host = '' }: IncomingHttpHeaders, boundHost: string): boolean {
  if (origin !== undefined && !isLoopbackHost(hostnameOf(origin))) return false;
  const name = hostnameOf(`http://${host}`);
  const isBound = name === hostnameOf(`http://${isIP(boundHost) === 6 ? `[${boundHost}]` : boundHost}`);
  return name !== '' && (isBound || isLoopbackHost(name) || (!isLoopbackHost(boundHost) && isIP(name.replace(/^\[(.*)\]$/u, '$1')) > 0));
}

/** Empty where there is none, as in the origin of a file. */
const hostnameOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');
