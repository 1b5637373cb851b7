import { useQuery } from '@tanstack/react-query';
import type { RelayClient } from 'agent-relay-client';
import { createContext, use, useSyncExternalStore } from 'react';
import type { Connection, ConnectionState } from './connection.ts';
import { keys } from './keys.ts';

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

export function useAgents() {
  const relay = useRelay();
  return useQuery({ queryKey: keys.agents, queryFn: async () => (await relay.agents.list()).data });
}

export function useMessages() {
  const relay = useRelay();
  return useQuery({ queryKey: keys.messages, queryFn: async () => (await relay.messages.list({ newest: true, limit: 200 })).data });
}

export function useSessions() {
  const relay = useRelay();
  return useQuery({ queryKey: keys.sessions, queryFn: async () => (await relay.sessions.list()).data });
}

export function useNodes() {
  const relay = useRelay();
  return useQuery({ queryKey: keys.nodes, queryFn: async () => (await relay.nodes.list()).data });
}

export function useDeliveries(messageId: number) {
  const relay = useRelay();
  return useQuery({ queryKey: keys.deliveries(messageId), queryFn: async () => (await relay.messages.deliveries({ id: messageId })).data });
}
