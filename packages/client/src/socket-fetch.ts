import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { assertSocketOfOwner } from 'agent-relay-wire/node';

/**
 * `fetch` over a socket in the file system: the URL's host only fills the `Host` header. Each request looks whether the owner of `ownerFile`,
 * without one this process's user, owns the socket, and sends nothing where it is another's. Fails with a `TypeError`, as the platform's does.
 */
export function socketFetch(socketPath: string, ownerFile?: string): typeof globalThis.fetch {
  return async (input, init) => {
    const asked = new Request(input, init);
    const body = asked.body === null ? undefined : Buffer.from(await asked.arrayBuffer());
    return new Promise<Response>((resolve, reject) => {
      const { host, pathname, search } = new URL(asked.url);
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const headers = { ...Object.fromEntries(asked.headers), ...length, host };
      const { method, signal } = asked;
      try {
        assertSocketOfOwner(socketPath, ownerFile);
      } catch (cause) {
        reject(new TypeError('fetch failed', { cause }));
        return;
      }
      const request = httpRequest({ socketPath, path: pathname + search, method, headers, signal }, (response) =>
        resolve(asResponse(response)),
      );
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
