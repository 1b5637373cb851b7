import { useMutation, useQuery } from '@tanstack/react-query';
import { listAll } from 'agent-relay-client';
import { keys } from './keys.ts';
import type { CreateTokenRequest } from './requests.ts';
import { useConnection, useMayCall, useRelay } from './use-relay.ts';

/** The tokens that are good now, newest first. */
export function useTokens() {
  const relay = useRelay();
  return useQuery({
    queryKey: keys.tokens,
    enabled: useMayCall('tokens/list'),
    queryFn: async () => (await listAll(relay.tokens.list, {})).data.sort((one, other) => other.createdAt - one.createdAt),
  });
}

export function useCreateToken() {
  const { relay, queries } = useConnection();
  return useMutation({
    mutationFn: (request: CreateTokenRequest) => relay.tokens.create(request),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.tokens }),
    // The token itself stays nowhere once the dialog is closed.
    gcTime: 0,
  });
}

export function useRevokeToken() {
  const { relay, queries } = useConnection();
  return useMutation({
    mutationFn: (id: string) => relay.tokens.revoke({ id }),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.tokens }),
  });
}
