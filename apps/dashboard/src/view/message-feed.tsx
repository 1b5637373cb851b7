import { useList } from '../live/use-list.ts';
import { agentMessagesView, messagesView } from '../relay/messages.ts';
import { MessageLog } from './message-log.tsx';

/** The newest messages as they come, all of them or those that concern one agent. */
export function MessageFeed({ agentId }: { readonly agentId: string | null }) {
  return (
    <MessageLog
      label="Messages"
      list={useList(agentId === null ? messagesView : agentMessagesView(agentId))}
      refused="This token may not read messages."
      empty={<p>{agentId === null ? 'No messages yet. Write one below, or start an agent.' : `No messages to or from ${agentId} yet.`}</p>}
    />
  );
}
