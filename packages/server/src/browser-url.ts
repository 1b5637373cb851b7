import { isLoopbackHost } from 'agent-relay-wire/node';

/** A relay's address as a browser of its machine opens it; one that other machines reach keeps its name. */
export function browserUrl(url: string, browserHost: string): string {
  const { hostname, port, protocol } = new URL(url);
  return isLoopbackHost(hostname) ? `${protocol}//${browserHost}${port === '' ? '' : `:${port}`}` : url.replace(/\/+$/u, '');
}
