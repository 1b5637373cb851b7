import { createRelayClient, type RelayClient, RelayError, type RelayEvent } from 'agent-relay-client';
import { LiveViews } from './live-views.ts';
import { isSignedOut, sessionWord } from './sign-in.ts';

/**
 * `connecting`; `live` while the event stream is open; `quiet` while it is open and the relay leaves a question unanswered, as where the network
 * was cut; `lost` between its stretches; `signed-out` when the relay wants a login; `refused`
 * when whoever is signed in may not follow the log.
 */
export type ConnectionState =
  | { readonly status: 'connecting' | 'live' | 'quiet' | 'lost' | 'signed-out' }
  | { readonly status: 'refused'; readonly problem: string };

/** The page's one connection: it follows the log, and the log keeps the views current. */
export interface Connection {
  readonly relay: RelayClient;
  readonly views: LiveViews;
  readonly now: () => number;
  getState(): ConnectionState;
  subscribe(listener: () => void): () => void;
  /** Is told of everything that happens while the log is followed. Answers how to stop it. */
  onEvent(listener: (event: RelayEvent) => void): () => void;
  /** Begins to follow the log. Idempotent while it does. */
  follow(): void;
}

const RETRY_MS = 2_000;
const quiet: ConnectionState = { status: 'quiet' };

export function createConnection(url: string, now: () => number): Connection {
  let isQuiet = false;
  const liveness = {
    onQuiet: (is: boolean) => {
      isQuiet = is;
      setState(state);
    },
  };
  const relay = createRelayClient({ url, transport: 'socket', session: sessionWord, liveness });
  const views = new LiveViews(relay);
  const listeners = new Set<() => void>();
  const eventListeners = new Set<(event: RelayEvent) => void>();
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
      if (is === 'connected') {
        if (isFirst) views.begin();
        else views.retry();
        isFirst = false;
      }
      // A refused socket looks to a page like one that was cut.
      else void isSignedOut().then((isOut) => isOut && stop.abort());
    };
    for await (const event of relay.events({ onReset: () => views.reset(), onConnection, signal: stop.signal })) {
      views.push(event);
      for (const listener of eventListeners) listener(event);
    }
    if (stop.signal.aborted) throw new RelayError('unauthorized', 'This browser is not signed in');
  }

  return {
    relay,
    views,
    now,
    getState: () => (isQuiet && state.status === 'live' ? quiet : state),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onEvent(listener) {
      eventListeners.add(listener);
      return () => eventListeners.delete(listener);
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
  };
}

function stateAfter(error: unknown): ConnectionState {
  if (!(error instanceof RelayError)) return { status: 'lost' };
  if (error.code === 'unauthorized') return { status: 'signed-out' };
  return error.code.startsWith('forbidden') ? { status: 'refused', problem: `${error.message} (${error.code})` } : { status: 'lost' };
}
