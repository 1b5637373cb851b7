import type { MessageDetail } from 'agent-relay-client';
import type { ReactNode } from 'react';
import type { List } from '../live/use-list.ts';
import { MessageLine } from './message-line.tsx';
import { OlderRows } from './older-rows.tsx';
import { Problem } from './problem.tsx';
import { VirtualList } from './virtual-list.tsx';

interface MessageLogProps {
  readonly label: string;
  readonly list: List<MessageDetail>;
  readonly refused: string;
  readonly empty: ReactNode;
  /** Where that stands. */
  readonly emptyPlace?: string;
  /** Brought into sight once; without it the log begins at its end. */
  readonly focusId?: number;
  readonly row?: (message: MessageDetail) => ReactNode;
}

/** Messages, newest at the bottom, or why there are none. */
export function MessageLog({
  label,
  list,
  refused,
  empty,
  emptyPlace = 'grid h-full place-items-center',
  focusId,
  row = showRow,
}: MessageLogProps) {
  return (
    <VirtualList
      kind="log"
      label={label}
      items={list.items}
      keyOf={({ id }) => id}
      rowHeight={84}
      selected={focusId ?? null}
      header={<OlderRows list={list} />}
      row={focusId === undefined ? row : (message) => <div className={message.id === focusId ? 'bg-raised' : ''}>{row(message)}</div>}
      empty={<div className={`p-6 text-center text-soft ${emptyPlace}`}>{whyEmpty(list, refused) ?? empty}</div>}
    />
  );
}

/** Why there is nothing, where that is not that nothing was said. */
function whyEmpty({ status, error, readAgain }: List<MessageDetail>, refused: string): ReactNode {
  if (status === 'failed') return <Problem error={error} onRetry={readAgain} />;
  if (status === 'ready') return null;
  return status === 'refused' ? <p>{refused}</p> : <span />;
}

const showRow = (message: MessageDetail) => <MessageLine message={message} />;
