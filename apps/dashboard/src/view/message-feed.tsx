import type { MessageDetail } from 'agent-relay-client';
import { useMessages } from '../relay/use-relay.ts';
import { MessageLog } from './message-log.tsx';
import { Problem } from './problem.tsx';

/** The newest messages as they come, all of them or those that concern one agent. */
export function MessageFeed({ agentId }: { readonly agentId: string | null }) {
  const { data: all = [], isPending, error, refetch } = useMessages();
  const messages = agentId === null ? all : all.filter((message) => concerns(message, agentId));
  const nothing = agentId === null ? 'No messages yet. Write one below, or start an agent.' : `No messages to or from ${agentId} yet.`;
  return (
    <MessageLog
      label="Messages"
      messages={messages}
      empty={
        <div className="grid h-full place-items-center p-6 text-center text-soft">
          {error ? <Problem error={error} onRetry={() => void refetch()} /> : isPending ? null : <p>{nothing}</p>}
        </div>
      }
    />
  );
}

const concerns = (message: MessageDetail, agentId: string): boolean =>
  message.from === agentId || message.to === `id:${agentId}` || !message.to.startsWith('id:');
