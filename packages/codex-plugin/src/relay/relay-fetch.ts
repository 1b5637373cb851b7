import { fetchTo, findRelay, socketFetch } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';

/**
 * `fetch` to the relay wherever it is now: a relay that was started again may have another door. Only the path and query of what is asked count.
 * Fails with a `TypeError` when there is none, as the platform's does when nobody listens.
 */
export function relayFetch(env: Readonly<Record<string, string | undefined>>, token: string): typeof globalThis.fetch {
  return async (input, init) => {
    const asked = new Request(input, init);
    const found = await findRelay({ env, token }).catch((cause: unknown) => {
      if (cause instanceof RelayError && cause.code === 'connection_closed') throw new TypeError('fetch failed', { cause });
      throw cause;
    });
    const { pathname, search } = new URL(asked.url);
    const send = found.socketPath === undefined ? fetchTo(found.url) : socketFetch(found.socketPath, found.socketOwnerFile);
    return await send(new Request(new URL(pathname + search, found.url), asked));
  };
}
