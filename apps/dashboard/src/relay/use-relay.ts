import { useQuery } from '@tanstack/react-query';
import { listAll, type RelayClient } from 'agent-relay-client';
import type { RouteName } from 'agent-relay-protocol';
import { createContext, use, useEffect, useState, useSyncExternalStore } from 'react';
import { reduceAgents, reduceMessages, reduceNodes, reduceSessions } from './collections.ts';
import type { Connection, ConnectionState } from './connection.ts';
import { keys } from './keys.ts';
import { mayCall } from './permissions.ts';

export const ConnectionContext = createContext<Connection | null>(null);

export function useConnection(): Connection {
  const connection = use(ConnectionContext);
  if (!connection) throw new Error('useConnection needs a ConnectionContext above it');
  return connection;
}

export const useRelay = (): RelayClient => useConnection().relay;

export function useConnectionState(): ConnectionState {
  const connection = useConnection();
  return useSyncExternalStore(
    (listener) => connection.subscribe(listener),
    () => connection.getState(),
  );
}

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

/** Who is signed in. */
export function useMe() {
  const relay = useRelay();
  return useQuery({ queryKey: keys.me, queryFn: () => relay.system.me() });
}

/** Whether whoever is signed in may do what a route does. */
export const useMayCall = (name: RouteName): boolean => mayCall(useMe().data, name);

export function useAgents() {
  const { relay, current } = useConnection();
  return useQuery({ queryKey: keys.agents, queryFn: async () => current(await listAll(relay.agents.list, {}), reduceAgents) });
}

export function useMessages() {
  const { relay, current } = useConnection();
  return useQuery({
    queryKey: keys.messages,
    queryFn: async () => current(await relay.messages.list({ newest: true, limit: 200 }), reduceMessages),
  });
}

export function useSessions() {
  const { relay, current } = useConnection();
  return useQuery({ queryKey: keys.sessions, queryFn: async () => current(await relay.sessions.list(), reduceSessions) });
}

export function useNodes() {
  const { relay, current } = useConnection();
  return useQuery({ queryKey: keys.nodes, queryFn: async () => current(await listAll(relay.nodes.list, {}), reduceNodes) });
}

export function useDeliveries(messageId: number) {
  const relay = useRelay();
  return useQuery({ queryKey: keys.deliveries(messageId), queryFn: async () => (await relay.messages.deliveries({ id: messageId })).data });
}
