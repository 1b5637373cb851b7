import { useVirtualizer } from '@tanstack/react-virtual';
import type { MessageDetail } from 'agent-relay-client';
import { type ReactNode, useEffect, useRef } from 'react';
import { MessageRow } from './message-row.tsx';

interface MessageLogProps {
  readonly label: string;
  readonly messages: readonly MessageDetail[];
  readonly empty: ReactNode;
  /** Brought into sight once; without it the log begins at its end. */
  readonly focusId?: number;
  readonly row?: (message: MessageDetail) => ReactNode;
}

/** Messages, newest at the bottom. Stays at the bottom while the reader is there, and still while the reader looks further up. */
export function MessageLog({ label, messages, empty, focusId, row = showRow }: MessageLogProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(focusId === undefined);
  const wasFocused = useRef(false);
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
  const focusIndex = focusId === undefined ? -1 : messages.findIndex(({ id }) => id === focusId);
  useEffect(() => {
    if (focusIndex === -1 || wasFocused.current) return;
    wasFocused.current = true;
    rows.scrollToIndex(focusIndex, { align: 'center' });
  }, [focusIndex, rows]);
  const onScroll = () => {
    const element = scroller.current;
    if (element) isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
  };
  return (
    <div ref={scroller} onScroll={onScroll} className="min-h-0 grow overflow-y-auto" role="log" aria-label={label}>
      {messages.length === 0 ? empty : null}
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const message = messages[index];
          return message ? (
            <div
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className={`absolute inset-x-0 ${message.id === focusId ? 'bg-raised' : ''}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              {row(message)}
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

const showRow = (message: MessageDetail) => <MessageRow message={message} />;
