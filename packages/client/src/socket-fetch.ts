import { assertSocketOfOwner } from 'agent-relay-wire/node';
import { fetchBy } from './node-fetch.ts';

/**
 * `fetch` over a socket in the file system: the URL's host only fills the `Host` header. Each request looks whether the owner of `ownerFile`,
 * without one this process's user, owns the socket, and sends nothing where it is another's. Fails with a `TypeError`, as the platform's does.
 */
export const socketFetch = (socketPath: string, ownerFile?: string): typeof globalThis.fetch =>
  fetchBy(() => {
    assertSocketOfOwner(socketPath, ownerFile);
    return { socketPath };
  });
