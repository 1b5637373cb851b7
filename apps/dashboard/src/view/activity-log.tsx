import { useEffect, useMemo, useRef } from 'react';
import type { ActivityBlock } from '../relay/activity-blocks.ts';
import { treeOf } from '../relay/activity-tree.ts';
import { type Activity, useActivity } from '../relay/use-activity.ts';
import { ActivityBlockView } from './activity-block.tsx';
import { TreeContext } from './activity-tree-context.ts';
import { AlsoHere } from './agent/also-here.tsx';
import { NewerRows } from './newer-rows.tsx';
import { OlderRows } from './older-rows.tsx';
import { Problem } from './problem.tsx';
import { VirtualList } from './virtual-list.tsx';

interface ActivityLogProps {
  readonly agentId: string;
  /** One of its sessions; all of them without. */
  readonly session: string | null;
  /** What is brought into sight; null for its end. */
  readonly moment: Moment | null;
  readonly place: string;
}

/** The prompt that a message made, or what an entry of the activity told. */
export type Moment = { readonly messageId: number } | { readonly entryId: number };

/** What one agent did and does, as it streams. */
export function ActivityLog({ agentId, session, moment, place }: ActivityLogProps) {
  const activity = useActivity({ agentId, session, around: moment !== null && 'entryId' in moment ? moment.entryId : null });
  const { items, status, error, readAgain } = activity;
  const found = useMoment(moment, activity);
  const tree = useMemo(() => treeOf(items), [items]);
  const around = useMemo(() => (found === undefined ? [] : tree.callsAround(found.key)), [tree, found]);
  const foundRow = around[0] ?? found?.key;
  const shownTree = useMemo(() => ({ childrenOf: tree.childrenOf, isAroundFound: (key: string) => around.includes(key) }), [tree, around]);
  return (
    <aside aria-label={`Activity of ${agentId}`} className={`min-h-0 min-w-0 flex-col border-line bg-panel ${place}`}>
      <AlsoHere others={activity.others} />
      <TreeContext value={shownTree}>
        <VirtualList
          // A log that was opened at a place stands still there.
          key={moment === null ? 'end' : JSON.stringify(moment)}
          kind="log"
          label="Activity"
          items={tree.roots}
          keyOf={keyOf}
          rowHeight={44}
          selected={moment === null ? null : (foundRow ?? '')}
          header={<OlderRows list={activity} end="That is where it began." />}
          footer={<NewerRows activity={activity} />}
          row={(block) => (
            <div className={`px-4 py-1.5 ${block.key === foundRow ? 'bg-raised' : ''}`}>
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
      </TreeContext>
    </aside>
  );
}

const keyOf = ({ key }: ActivityBlock): string => key;

/** The block of a moment: looked for further and further back, as long as there is more. */
function useMoment(moment: Moment | null, { items, status, isWhole, older, keyAt }: Activity): ActivityBlock | undefined {
  const found = useMemo(() => (moment === null ? undefined : blockOf(moment, items, keyAt)), [moment, items, keyAt]);
  const isWanted = moment !== null && found === undefined && status === 'ready' && !isWhole && !older.isPending && older.error === null;
  const ask = useRef(older.run);
  useEffect(() => {
    ask.current = older.run;
  });
  useEffect(() => {
    if (isWanted) ask.current();
  }, [isWanted]);
  return found;
}

function blockOf(moment: Moment, items: readonly ActivityBlock[], keyAt: Activity['keyAt']): ActivityBlock | undefined {
  if ('messageId' in moment) return items.find((block) => block.kind === 'prompt' && block.messageIds.includes(moment.messageId));
  const key = keyAt(moment.entryId);
  return items.find((block) => block.key === key);
}
