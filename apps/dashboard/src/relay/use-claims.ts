import { useMutation } from '@tanstack/react-query';
import type { Claim, MessageDetail } from 'agent-relay-client';
import { mayTakeBack } from './permissions.ts';
import { useMe, useRelay } from './use-relay.ts';

/** The claim that whoever is signed in may end over its holder's head; null when there is none. */
export function useTakeable(message: Pick<MessageDetail, 'from' | 'claim'>): Claim | null {
  const { data: me } = useMe();
  return message.claim?.status === 'held' && mayTakeBack(me, message.from) ? message.claim : null;
}

/** Takes offered work back from its holder: it is open again, and the holder is told. The event brings the page up to date. */
export function useTakeBack() {
  const relay = useRelay();
  return useMutation({
    mutationFn: ({ claimId, reason }: { readonly claimId: string; readonly reason: string | null }) =>
      relay.claims.release({ claimId, ...(reason === null ? {} : { reason }) }),
  });
}
