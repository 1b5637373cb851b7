import { AgentList } from './agent-list.tsx';
import { AgentPanel } from './agent-panel.tsx';
import { AgentAsks } from './approvals/agent-asks.tsx';
import { Composer } from './composer.tsx';
import { MessageFeed } from './message-feed.tsx';

const everybody = 'grid-rows-[minmax(0,11rem)_minmax(0,1fr)] md:grid-cols-[18rem_minmax(0,1fr)]';
const oneAgent =
  'grid-rows-[minmax(0,3fr)_minmax(0,2fr)] md:grid-cols-[14rem_minmax(0,1fr)_minmax(0,1fr)] xl:grid-cols-[18rem_minmax(0,1fr)_minmax(24rem,34rem)]';

/** Agents on the left, the messages in the middle, one agent's activity on the right; one above the other where there is no room. */
export function RelayPage({ agentId }: { readonly agentId: string | null }) {
  return (
    <div className={`grid min-h-0 grid-cols-1 md:grid-rows-1 ${agentId === null ? everybody : oneAgent}`}>
      <div className={`min-h-0 md:grid ${agentId === null ? 'grid' : 'hidden'}`}>
        <AgentList selectedId={agentId} />
      </div>
      <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)_minmax(0,auto)_auto] border-line border-x">
        <MessageFeed agentId={agentId} />
        {agentId === null ? <div /> : <AgentAsks agentId={agentId} />}
        <Composer agentId={agentId} />
      </main>
      {agentId === null ? null : <AgentPanel key={agentId} agentId={agentId} />}
    </div>
  );
}
