import { useMemo, useState } from 'react';
import { useList } from '../../live/use-list.ts';
import type { AgentsShown } from '../../relay/agents-shown.ts';
import { agentMessagesView } from '../../relay/messages.ts';
import { ActivityLog, type Moment } from '../activity-log.tsx';
import { AgentHeader } from '../agent-header.tsx';
import { AgentList } from '../agent-list.tsx';
import { AgentAsks } from '../approvals/agent-asks.tsx';
import { Composer } from '../composer.tsx';
import { MessageLog } from '../message-log.tsx';
import { type AnsweredMessage, AnsweringContext } from '../messages/answering.ts';
import { PaneChoice } from '../pane-choice.tsx';

interface AgentPageProps extends AgentsShown {
  readonly agentId: string;
  /** One of its sessions. */
  readonly session?: string;
  /** The message whose prompt is wanted. */
  readonly message?: number;
  /** The entry of its activity that is wanted. */
  readonly entry?: number;
}

/** One agent: what is said to it and by it, what it asks, what it does, and the means to steer it. */
export function AgentPage({ agentId, session, message, entry, ...shown }: AgentPageProps) {
  const moment = useMemo(
    (): Moment | null => (entry !== undefined ? { entryId: entry } : message === undefined ? null : { messageId: message }),
    [entry, message],
  );
  const [pane, setPane] = useState<'Messages' | 'Activity'>(session === undefined && moment === null ? 'Messages' : 'Activity');
  // Whoever is led to a moment while the page is open wants to see it as well.
  const [ledTo, setLedTo] = useState(moment);
  if (moment !== ledTo) {
    setLedTo(moment);
    if (moment !== null) setPane('Activity');
  }
  const isActivity = pane === 'Activity';
  return (
    <main className="grid min-h-0 grid-cols-1 grid-rows-[auto_auto_minmax(0,1fr)] md:grid-cols-[14rem_minmax(0,1fr)] lg:grid-cols-[14rem_minmax(0,1fr)_minmax(0,1fr)] lg:grid-rows-[auto_minmax(0,1fr)] xl:grid-cols-[18rem_minmax(0,1fr)_minmax(0,1fr)] 2xl:grid-cols-[22rem_minmax(0,1fr)_minmax(0,1fr)]">
      <div className="hidden min-h-0 md:row-span-3 md:grid lg:row-span-2">
        <AgentList selectedId={agentId} shown={shown} />
      </div>
      <AgentHeader
        key={`header/${agentId}`}
        agentId={agentId}
        session={session ?? null}
        place="md:border-l lg:col-start-3 lg:row-start-1 lg:border-l-0"
      />
      <PaneChoice panes={['Messages', 'Activity']} chosen={pane} onChoose={setPane} place="md:border-l lg:hidden" />
      <Messages
        key={`messages/${agentId}`}
        agentId={agentId}
        place={`lg:col-start-2 lg:row-span-2 lg:row-start-1 lg:grid ${isActivity ? 'hidden' : 'grid'}`}
      />
      <ActivityLog
        key={`activity/${agentId}`}
        agentId={agentId}
        session={session ?? null}
        moment={moment}
        place={`md:border-l lg:col-start-3 lg:row-start-2 lg:flex lg:border-l-0 ${isActivity ? 'flex' : 'hidden'}`}
      />
    </main>
  );
}

/** What is said, what waits for an answer, and the box to write in, which stays in sight. */
function Messages({ agentId, place }: { readonly agentId: string; readonly place: string }) {
  const [answering, setAnswering] = useState<AnsweredMessage | null>(null);
  return (
    <section
      aria-label={`What is said with ${agentId}`}
      data-content
      className={`min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)_minmax(0,auto)_auto] border-line md:border-x ${place}`}
    >
      <AnsweringContext value={setAnswering}>
        <MessageLog
          label="Messages"
          list={useList(agentMessagesView(agentId))}
          refused="This token may not read messages."
          empty={<p>No messages to or from {agentId} yet.</p>}
        />
      </AnsweringContext>
      <AgentAsks agentId={agentId} />
      <Composer agentId={agentId} answering={answering} onAnswered={() => setAnswering(null)} />
    </section>
  );
}
