import { useState } from 'react';
import { useList } from '../../live/use-list.ts';
import type { AgentsShown } from '../../relay/agents-shown.ts';
import type { MessageFilter } from '../../relay/message-filter.ts';
import { messagesView } from '../../relay/messages.ts';
import { AgentList } from '../agent-list.tsx';
import { Composer } from '../composer.tsx';
import { MessageLog } from '../message-log.tsx';
import { PaneChoice } from '../pane-choice.tsx';
import { type AnsweredMessage, AnsweringContext, DismissingContext } from './answering.ts';
import { FilterTools } from './filter-tools.tsx';

/** What everybody says, and the box to say something oneself. */
export function MessagesPage({ search: { agents, by, ...filter } }: { readonly search: MessageFilter & AgentsShown }) {
  const [pane, setPane] = useState<'Messages' | 'Agents'>(agents === undefined ? 'Messages' : 'Agents');
  const [answering, setAnswering] = useState<AnsweredMessage | null>(null);
  return (
    <main className="grid min-h-0 grid-cols-1 grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[18rem_minmax(0,1fr)] md:grid-rows-1 2xl:grid-cols-[22rem_minmax(0,1fr)]">
      <PaneChoice panes={['Messages', 'Agents']} chosen={pane} onChoose={setPane} place="md:hidden" />
      <div className={`min-h-0 md:grid ${pane === 'Agents' ? 'grid' : 'hidden'}`}>
        <AgentList selectedId={null} shown={{ ...(agents !== undefined && { agents }), ...(by !== undefined && { by }) }} />
      </div>
      <section
        aria-label="What is said"
        data-content
        className={`min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)_auto] border-line md:grid md:border-x ${pane === 'Agents' ? 'hidden' : 'grid'}`}
      >
        <FilterTools search={filter} />
        <AnsweringContext value={setAnswering}>
          <DismissingContext value={filter.deadLetter === true}>
            <MessageLog
              key={JSON.stringify(filter)}
              label="Messages"
              list={useList(messagesView(filter))}
              refused="This token may not read messages."
              empty={<p>{emptyWords(filter)}</p>}
            />
          </DismissingContext>
        </AnsweringContext>
        <Composer agentId={null} answering={answering} onAnswered={() => setAnswering(null)} />
      </section>
    </main>
  );
}

function emptyWords(filter: MessageFilter): string {
  if (filter.deadLetter) return 'All that people wrote has arrived, or waits to be read.';
  return Object.keys(filter).length > 0 ? 'No message fits.' : 'No messages yet. Write one below, or start an agent.';
}
