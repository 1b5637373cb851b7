import { useEffect, useMemo, useRef } from 'react';
import type { ActivityBlock } from '../relay/activity-blocks.ts';
import { type Activity, useActivity } from '../relay/use-activity.ts';
import { ActivityBlockView } from './activity-block.tsx';
import { OlderRows } from './older-rows.tsx';
import { Problem } from './problem.tsx';
import { VirtualList } from './virtual-list.tsx';

interface ActivityLogProps {
  readonly agentId: string;
  /** One of its sessions; all of them without. */
  readonly session: string | null;
  /** The message whose prompt is brought into sight. */
  readonly messageId: number | null;
  readonly place: string;
}

/** What one agent did and does, as it streams. */
export function ActivityLog({ agentId, session, messageId, place }: ActivityLogProps) {
  const activity = useActivity(agentId, session);
  const { items, status, error, readAgain } = activity;
  const prompt = usePromptOf(messageId, activity);
  return (
    <aside aria-label={`Activity of ${agentId}`} className={`min-h-0 min-w-0 flex-col border-line bg-panel ${place}`}>
      <VirtualList
        // A log that was opened at a place stands still there.
        key={messageId ?? 'end'}
        kind="log"
        label="Activity"
        items={items}
        keyOf={keyOf}
        rowHeight={44}
        selected={messageId === null ? null : (prompt?.key ?? '')}
        header={<OlderRows list={activity} end="That is where it began." />}
        row={(block) => (
          <div className={`px-4 py-1.5 ${block === prompt ? 'bg-raised' : ''}`}>
            <ActivityBlockView block={block} />
          </div>
        )}
        empty={
          <div className="p-4 text-soft">
            {status === 'failed' ? (
              <Problem error={error} onRetry={readAgain} />
            ) : (
              <p>{status === 'ready' ? 'Nothing yet.' : 'Reading…'}</p>
            )}
          </div>
        }
      />
    </aside>
  );
}

const keyOf = ({ key }: ActivityBlock): string => key;

/** The prompt that carries a message: looked for further and further back, as long as there is more. */
function usePromptOf(messageId: number | null, { items, status, isWhole, older }: Activity): ActivityBlock | undefined {
  const prompt = useMemo(
    () => (messageId === null ? undefined : items.find((block) => block.kind === 'prompt' && block.messageIds.includes(messageId))),
    [messageId, items],
  );
  const isWanted = messageId !== null && prompt === undefined && status === 'ready' && !isWhole && !older.isPending && older.error === null;
  const ask = useRef(older.run);
  useEffect(() => {
    ask.current = older.run;
  });
  useEffect(() => {
    if (isWanted) ask.current();
  }, [isWanted]);
  return prompt;
}
