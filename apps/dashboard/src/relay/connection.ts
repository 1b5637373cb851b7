import { QueryClient } from '@tanstack/react-query';
import { createRelayClient, type RelayClient, RelayError } from 'agent-relay-client';
import { applyEvent } from './apply-event.ts';
import type { Reducer } from './collections.ts';
import { EventTail } from './event-tail.ts';
import { Refresher } from './refresher.ts';
import { isSignedOut, sessionWord } from './sign-in.ts';

/**
 * `connecting`; `live` while the event stream is open; `lost` between its stretches; `signed-out` when the relay wants a login; `refused`
 * when whoever is signed in may not follow the log.
 */
export type ConnectionState =
  | { readonly status: 'connecting' | 'live' | 'lost' | 'signed-out' }
  | { readonly status: 'refused'; readonly problem: string };

/** A list as the relay answers it: `cursor` says up to where in the log it is true. */
interface Snapshot<Item> {
  readonly data: readonly Item[];
  readonly cursor: number;
}

/** The page's one connection. Queries hold snapshots; the log keeps them current, from before they were taken on. */
export interface Connection {
  readonly relay: RelayClient;
  readonly queries: QueryClient;
  readonly now: () => number;
  getState(): ConnectionState;
  subscribe(listener: () => void): () => void;
  /** Begins to follow the log. Idempotent while it does. */
  follow(): void;
  /** A snapshot with what the log has told since it was true. */
  current<Item>(snapshot: Snapshot<Item>, reduce: Reducer<Item>): readonly Item[];
}

const RETRY_MS = 2_000;

export function createConnection(url: string, now: () => number): Connection {
  const relay = createRelayClient({ url, transport: 'socket', session: sessionWord });
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        retry: (failures, error) => isPassing(error) && failures < 5,
      },
    },
  });
  const tail = new EventTail();
  const { want: refresh } = new Refresher((queryKey) => void queries.invalidateQueries({ queryKey }));
  const listeners = new Set<() => void>();
  let state: ConnectionState = { status: 'connecting' };
  let isFollowing = false;
  const setState = (next: ConnectionState) => {
    state = next;
    for (const listener of listeners) listener();
  };

  async function followLog(): Promise<void> {
    const stop = new AbortController();
    let isFirst = true;
    const onConnection = (is: 'connected' | 'lost') => {
      setState({ status: is === 'connected' ? 'live' : 'lost' });
      // What was asked for before the log was open may lack what happened in between.
      if (is === 'connected' && isFirst) void queries.invalidateQueries();
      if (is === 'connected') isFirst = false;
      // A refused socket looks to a page like one that was cut.
      else void isSignedOut().then((isOut) => isOut && stop.abort());
    };
    const onReset = () => {
      tail.clear();
      void queries.invalidateQueries();
    };
    for await (const event of relay.events({ onReset, onConnection, signal: stop.signal })) {
      tail.push(event);
      applyEvent({ queries, refresh }, event);
    }
    if (stop.signal.aborted) throw new RelayError('unauthorized', 'This browser is not signed in');
  }

  return {
    relay,
    queries,
    now,
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
        setState(stateAfter(error));
        if (state.status === 'lost') setTimeout(() => this.follow(), RETRY_MS);
      });
    },
    current: ({ data, cursor }, reduce) => tail.after(cursor).reduce(reduce, data),
  };
}

const isPassing = (error: unknown): boolean => error instanceof RelayError && error.retryable;

function stateAfter(error: unknown): ConnectionState {
  if (!(error instanceof RelayError)) return { status: 'lost' };
  if (error.code === 'unauthorized') return { status: 'signed-out' };
  return error.code.startsWith('forbidden') ? { status: 'refused', problem: `${error.message} (${error.code})` } : { status: 'lost' };
}
