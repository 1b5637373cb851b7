import { useMutation, useQuery } from '@tanstack/react-query';
import { listAll } from 'agent-relay-client';
import { reduceChannels } from './collections.ts';
import { keys } from './keys.ts';
import { mayBind } from './permissions.ts';
import type { BindRequest } from './requests.ts';
import { useConnection, useMayCall, useMe, useRelay } from './use-relay.ts';

/** By id. */
export function useChannels() {
  const { relay, current } = useConnection();
  return useQuery({
    queryKey: keys.channels,
    enabled: useMayCall('channels/list'),
    queryFn: async () => current(await listAll(relay.channels.list, {}), reduceChannels),
  });
}

export const useMayBind = (channelId: string): boolean => mayBind(useMe().data, channelId);

export function useBind() {
  const relay = useRelay();
  return useMutation({ mutationFn: (request: BindRequest) => relay.channels.bind(request) });
}

export function useUnbind(channelId: string) {
  const relay = useRelay();
  return useMutation({ mutationFn: (bindingId: string) => relay.channels.unbind({ id: channelId, bindingId }) });
}
