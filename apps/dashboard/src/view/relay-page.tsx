import { AgentList } from './agent-list.tsx';
import { AgentPanel } from './agent-panel.tsx';
import { Composer } from './composer.tsx';
import { MessageFeed } from './message-feed.tsx';

/** Agents on the left, the messages in the middle, one agent's activity on the right; one above the other where there is no room. */
export function RelayPage({ agentId }: { readonly agentId: string | null }) {
  return (
    <div
      className={`grid min-h-0 grid-cols-1 ${agentId === null ? 'grid-rows-[minmax(0,11rem)_minmax(0,1fr)] md:grid-cols-[18rem_minmax(0,1fr)]' : 'grid-rows-[0_minmax(0,1fr)_minmax(0,1fr)] md:grid-cols-[18rem_minmax(0,1fr)] md:grid-rows-2 xl:grid-cols-[18rem_minmax(0,1fr)_minmax(24rem,34rem)]'} md:grid-rows-1 xl:grid-rows-1`}
    >
      <AgentList selectedId={agentId} />
      <main className="grid min-h-0 grid-rows-[minmax(0,1fr)_auto] border-line border-x">
        <MessageFeed agentId={agentId} />
        <Composer agentId={agentId} />
      </main>
      {agentId === null ? null : <AgentPanel key={agentId} agentId={agentId} />}
    </div>
  );
}
