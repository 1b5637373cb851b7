import { QueryClient } from '@tanstack/react-query';
import { createRelayClient, type RelayClient, RelayError } from 'agent-relay-client';
import { applyEvent } from './apply-event.ts';

export type ConnectionState = 'connecting' | 'live' | 'lost' | 'signed-out';

/**
 * The page's one connection. Queries hold snapshots; the log keeps them current from the cursor of the earliest one on.
 *
 * States: `connecting`; `live` while the event stream is open; `lost` between its stretches; `signed-out` when the relay wants a login.
 */
export interface Connection {
  readonly relay: RelayClient;
  readonly queries: QueryClient;
  getState(): ConnectionState;
  subscribe(listener: () => void): () => void;
  /** Begins to follow the log; called once the first snapshot is there, and again after a login. */
  follow(): void;
}

export function createConnection(url: string): Connection {
  const relay = createRelayClient({ url, transport: 'socket' });
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        retry: (failures, error) => isPassing(error) && failures < 5,
      },
    },
  });
  const listeners = new Set<() => void>();
  let state: ConnectionState = 'connecting';
  let isFollowing = false;
  const setState = (next: ConnectionState) => {
    state = next;
    for (const listener of listeners) listener();
  };

  async function followLog(): Promise<void> {
    // The stream opens before the snapshots are taken, so that no change falls between them; applying one twice changes nothing.
    const { cursor } = await relay.messages.cursor();
    await queries.invalidateQueries();
    const refresh = () => void queries.invalidateQueries();
    const onConnection = (now: 'connected' | 'lost') => setState(now === 'connected' ? 'live' : 'lost');
    for await (const event of relay.events({ after: cursor, onReset: refresh, onConnection })) applyEvent(queries, event);
  }

  return {
    relay,
    queries,
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    follow() {
      if (isFollowing) return;
      isFollowing = true;
      followLog().catch((error: unknown) => {
        isFollowing = false;
        setState(isSignedOut(error) ? 'signed-out' : 'lost');
        if (!isSignedOut(error)) setTimeout(() => this.follow(), 2_000);
      });
    },
  };
}

const isPassing = (error: unknown): boolean => error instanceof RelayError && error.retryable;
const isSignedOut = (error: unknown): boolean =>
  error instanceof RelayError && (error.code === 'unauthorized' || error.code === 'forbidden');
