import { useState } from 'react';
import { ActivityLog } from './activity-log.tsx';
import { AgentHeader } from './agent-header.tsx';
import { AgentList } from './agent-list.tsx';
import { AgentAsks } from './approvals/agent-asks.tsx';
import { Composer } from './composer.tsx';
import { MessageFeed } from './message-feed.tsx';
import { PaneChoice } from './pane-choice.tsx';

/** What a narrow window shows one at a time. */
type Pane = 'Agents' | 'Messages' | 'Activity';

/** Agents and the messages of all of them; one agent's messages and activity. */
export function RelayPage({ agentId }: { readonly agentId: string | null }) {
  const [pane, setPane] = useState<Pane>('Messages');
  return agentId === null ? <Everybody pane={pane} onPane={setPane} /> : <OneAgent agentId={agentId} pane={pane} onPane={setPane} />;
}

interface PanesProps {
  readonly pane: Pane;
  readonly onPane: (pane: Pane) => void;
}

function Everybody({ pane, onPane }: PanesProps) {
  return (
    <div className="grid min-h-0 grid-cols-1 grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[18rem_minmax(0,1fr)] md:grid-rows-1 2xl:grid-cols-[22rem_minmax(0,1fr)]">
      <PaneChoice panes={['Messages', 'Agents']} chosen={pane} onChoose={onPane} place="md:hidden" />
      <div className={`min-h-0 md:grid ${pane === 'Agents' ? 'grid' : 'hidden'}`}>
        <AgentList selectedId={null} />
      </div>
      <Messages agentId={null} place={`md:grid ${pane === 'Agents' ? 'hidden' : 'grid'}`} />
    </div>
  );
}

function OneAgent({ agentId, pane, onPane }: PanesProps & { readonly agentId: string }) {
  const isActivity = pane === 'Activity';
  return (
    <div className="grid min-h-0 grid-cols-1 grid-rows-[auto_auto_minmax(0,1fr)] md:grid-cols-[14rem_minmax(0,1fr)] lg:grid-cols-[14rem_minmax(0,1fr)_minmax(0,1fr)] lg:grid-rows-[auto_minmax(0,1fr)] xl:grid-cols-[18rem_minmax(0,1fr)_minmax(0,1fr)] 2xl:grid-cols-[22rem_minmax(0,1fr)_minmax(0,1fr)]">
      <div className="hidden min-h-0 md:row-span-3 md:grid lg:row-span-2">
        <AgentList selectedId={agentId} />
      </div>
      <AgentHeader key={`header/${agentId}`} agentId={agentId} place="md:border-l lg:col-start-3 lg:row-start-1 lg:border-l-0" />
      <PaneChoice panes={['Messages', 'Activity']} chosen={pane} onChoose={onPane} place="md:border-l lg:hidden" />
      <Messages agentId={agentId} place={`lg:col-start-2 lg:row-span-2 lg:row-start-1 lg:grid ${isActivity ? 'hidden' : 'grid'}`} />
      <ActivityLog
        key={`activity/${agentId}`}
        agentId={agentId}
        place={`md:border-l lg:col-start-3 lg:row-start-2 lg:flex lg:border-l-0 ${isActivity ? 'flex' : 'hidden'}`}
      />
    </div>
  );
}

/** What is said, what waits for an answer, and the box to write in, which stays in sight. */
function Messages({ agentId, place }: { readonly agentId: string | null; readonly place: string }) {
  return (
    <main className={`min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)_minmax(0,auto)_auto] border-line md:border-x ${place}`}>
      <MessageFeed key={agentId} agentId={agentId} />
      {agentId === null ? <div /> : <AgentAsks agentId={agentId} />}
      <Composer agentId={agentId} />
    </main>
  );
}
