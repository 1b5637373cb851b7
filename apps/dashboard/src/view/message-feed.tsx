import type { MessageDetail } from 'agent-relay-client';
import { useList } from '../live/use-list.ts';
import { messagesView } from '../relay/messages.ts';
import { MessageLog } from './message-log.tsx';

/** The newest messages as they come, all of them or those that concern one agent. */
export function MessageFeed({ agentId }: { readonly agentId: string | null }) {
  const list = useList(messagesView, (all) => (agentId === null ? all : all.filter((message) => concerns(message, agentId))));
  return (
    <MessageLog
      label="Messages"
      list={list}
      refused="This token may not read messages."
      empty={<p>{agentId === null ? 'No messages yet. Write one below, or start an agent.' : `No messages to or from ${agentId} yet.`}</p>}
    />
  );
}

const concerns = (message: MessageDetail, agentId: string): boolean =>
  message.from === agentId || message.to === `id:${agentId}` || !message.to.startsWith('id:');
