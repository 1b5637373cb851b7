import { createRelayClient } from 'agent-relay-client';
import type { Connection, ConnectionState } from './connection.ts';
import { LiveViews } from './live-views.ts';

const live: ConnectionState = { status: 'live' };

/** A connection of whoever opened a link, which follows no log of the relay: what the link shows is asked for by the page itself. */
export function openSharedConnection(url: string, code: string, now: () => number): Connection {
  const relay = createRelayClient({ url, token: code, transport: 'socket' });
  return {
    relay,
    views: new LiveViews(relay),
    now,
    getState: () => live,
    subscribe: () => () => {},
    onEvent: () => () => {},
    follow: () => {},
  };
}
