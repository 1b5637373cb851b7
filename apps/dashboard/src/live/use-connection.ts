import type { RelayClient } from 'agent-relay-client';
import { createContext, use, useEffect, useState, useSyncExternalStore } from 'react';
import type { Connection, ConnectionState } from './connection.ts';

export const ConnectionContext = createContext<Connection | null>(null);

export function useConnection(): Connection {
  const connection = use(ConnectionContext);
  if (!connection) throw new Error('useConnection needs a ConnectionContext above it');
  return connection;
}

export const useRelay = (): RelayClient => useConnection().relay;

export function useConnectionState(): ConnectionState {
  const connection = useConnection();
  const get = () => connection.getState();
  return useSyncExternalStore((listener) => connection.subscribe(listener), get, get);
}

/** Whether the relay is there: what is shown is as it is now, and what is asked is answered. */
export const useIsLive = (): boolean => useConnectionState().status === 'live';

/** The time, for what is told as `3 min ago`; moves on by itself. */
export function useNow(everyMs = 15_000): number {
  const { now } = useConnection();
  const [time, setTime] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), everyMs);
    return () => clearInterval(timer);
  }, [now, everyMs]);
  return time;
}
