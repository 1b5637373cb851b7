import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import tls from 'node:tls';
import { type OutgoingWay, readByProxy } from 'agent-relay-client/node';
import { messageOf, RelayError } from 'agent-relay-protocol';
import { isLoopbackHost } from 'agent-relay-wire/node';

/**
 * How this machine reaches a relay: through the proxy that its environment names for that address (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, less
 * `NO_PROXY`; never for this machine itself), trusting the authorities of `caFile` besides those of Node. Undefined where nothing is special.
 * @throws RelayError `validation_failed` for a file that cannot be read or holds no certificate, and a proxy that is no http or https address.
 */
export async function outgoingTo(url: URL, caFile: string | null): Promise<OutgoingWay | undefined> {
  const ca = caFile === null ? undefined : [...knownAuthorities(), ...(await authoritiesIn(caFile))];
  const agent = isLoopbackHost(url.hostname) ? undefined : await proxyAgent(url);
  return ca === undefined && agent === undefined ? undefined : { ...(agent && { agent }), ...(ca && { ca }) };
}

/** What somebody should know of a way to a relay: that a proxy reads along. Null where none does. */
export const clearWay = (url: URL, way: OutgoingWay | undefined): string | null =>
  url.protocol === 'http:' && way?.agent !== undefined ? readByProxy(url) : null;

async function proxyAgent(url: URL): Promise<OutgoingWay['agent']> {
  const { getProxyForUrl } = await import('proxy-from-env');
  const said = getProxyForUrl(url.href);
  if (said === '') return undefined;
  const proxy = URL.canParse(said) ? new URL(said) : null;
  // What it says may hold a password.
  if (proxy === null || !['http:', 'https:'].includes(proxy.protocol))
    throw new RelayError(
      'validation_failed',
      'The proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) is no http or https address',
    );
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  return new HttpsProxyAgent(proxy);
}

async function authoritiesIn(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fault(`${path} cannot be read: ${messageOf(cause)}`, cause);
  });
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/gu) ?? [];
  if (found.length === 0) throw fault(`${path} holds no certificate (PEM)`);
  try {
    for (const each of found) new X509Certificate(each);
  } catch (cause) {
    throw fault(`${path} holds what is no certificate: ${messageOf(cause)}`, cause);
  }
  return found;
}

/** Those of NODE_EXTRA_CA_CERTS as well, where this Node tells them. */
function knownAuthorities(): readonly string[] {
  // Node 20 has no such function.
  const tell: typeof tls.getCACertificates | undefined = tls.getCACertificates;
  return tell === undefined ? tls.rootCertificates : tell('default');
}

const fault = (message: string, cause?: unknown): RelayError =>
  new RelayError('validation_failed', `--ca: ${message}`, { issues: [{ path: 'ca', message }], cause });
