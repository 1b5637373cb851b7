import { MAX_PAGE_SIZE } from 'agent-relay-protocol';
import { useEffect, useState } from 'react';
import { useRelay } from '../live/use-connection.ts';
import { type ActivityBlock, addEntry } from './activity-blocks.ts';

interface ShownActivity {
  readonly agentId: string;
  readonly blocks: readonly ActivityBlock[];
  readonly problem: string | null;
}

/** What an agent did lately and does now, as blocks to show. */
export function useActivity(agentId: string): ShownActivity {
  const relay = useRelay();
  const [shown, setShown] = useState<ShownActivity>({ agentId, blocks: [], problem: null });
  useEffect(() => {
    const stop = new AbortController();
    const follow = async () => {
      const { data } = await relay.agents.activity({ id: agentId, newest: true, limit: MAX_PAGE_SIZE });
      if (stop.signal.aborted) return;
      setShown({ agentId, blocks: data.reduce(addEntry, []), problem: null });
      for await (const entry of relay.activity(agentId, { after: data.at(-1)?.id ?? 0, signal: stop.signal })) {
        setShown((before) => ({ ...before, blocks: addEntry(before.blocks, entry) }));
      }
    };
    follow().catch((error: unknown) => {
      if (!stop.signal.aborted) setShown({ agentId, blocks: [], problem: error instanceof Error ? error.message : String(error) });
    });
    return () => stop.abort();
  }, [relay, agentId]);
  return shown.agentId === agentId ? shown : { agentId, blocks: [], problem: null };
}
