import { useVirtualizer } from '@tanstack/react-virtual';
import type { MessageDetail } from 'agent-relay-client';
import { useEffect, useRef } from 'react';
import { useMessages } from '../relay/use-relay.ts';
import { MessageRow } from './message-row.tsx';

/** Live messages, newest at the bottom. Stays at the bottom while the reader is there, and still while the reader looks further up. */
export function MessageFeed({ agentId }: { readonly agentId: string | null }) {
  const { data: all = [], isPending } = useMessages();
  const messages = agentId === null ? all : all.filter((message) => concerns(message, agentId));
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const rows = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 84,
    overscan: 8,
    getItemKey: (index) => messages[index]?.id ?? index,
  });
  const lastId = messages.at(-1)?.id;
  useEffect(() => {
    if (lastId !== undefined && isAtEnd.current) rows.scrollToIndex(messages.length - 1, { align: 'end' });
  }, [lastId, messages.length, rows]);
  const onScroll = () => {
    const element = scroller.current;
    if (element) isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
  };
  return (
    <div ref={scroller} onScroll={onScroll} className="min-h-0 overflow-y-auto" role="log" aria-label="Messages">
      {messages.length === 0 && !isPending ? (
        <p className="grid h-full place-items-center p-6 text-center text-soft">
          {agentId === null ? 'No messages yet.' : `No messages to or from ${agentId} yet.`}
        </p>
      ) : null}
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((row) => {
          const message = messages[row.index];
          return message ? (
            <div
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              className="absolute inset-x-0"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <MessageRow message={message} />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

const concerns = (message: MessageDetail, agentId: string): boolean =>
  message.from === agentId || message.to === `id:${agentId}` || !message.to.startsWith('id:');
