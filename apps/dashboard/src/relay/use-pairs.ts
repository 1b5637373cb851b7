import { useMutation, useQuery } from '@tanstack/react-query';
import { reducePairs, reduceThread } from './collections.ts';
import { keys } from './keys.ts';
import { useConnection, useRelay } from './use-relay.ts';

const PAGE = 500;

/** Newest first. */
export function usePairs() {
  const { relay, current } = useConnection();
  return useQuery({ queryKey: keys.pairs, queryFn: async () => current(await relay.pairs.list({ limit: PAGE }), reducePairs) });
}

export function useHangUp(id: number) {
  const relay = useRelay();
  return useMutation({ mutationFn: (reason: string | null) => relay.pairs.hangup({ id, ...(reason === null ? {} : { reason }) }) });
}

/** A thread from its beginning, all of it, and what is said in it from now on. */
export function useThread(threadId: number) {
  const { relay, current } = useConnection();
  return useQuery({
    queryKey: keys.thread(threadId),
    queryFn: async () => {
      const first = await relay.messages.thread({ id: threadId, limit: 1_000 });
      const data = [...first.data];
      for (let next = first.nextCursor; next !== undefined; ) {
        const page = await relay.messages.thread({ id: threadId, since: next, limit: 1_000 });
        data.push(...page.data);
        next = page.nextCursor;
      }
      return current({ data, cursor: first.cursor }, reduceThread(threadId));
    },
  });
}

export function useMessage(id: number) {
  const relay = useRelay();
  return useQuery({ queryKey: keys.message(id), queryFn: () => relay.messages.get({ id }) });
}
