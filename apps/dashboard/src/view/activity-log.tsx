import { useActivity } from '../relay/use-activity.ts';
import { ActivityBlockView } from './activity-block.tsx';
import { VirtualList } from './virtual-list.tsx';

interface ActivityLogProps {
  readonly agentId: string;
  readonly place: string;
}

/** What one agent did and does, as it streams. */
export function ActivityLog({ agentId, place }: ActivityLogProps) {
  const { blocks, problem } = useActivity(agentId);
  return (
    <aside aria-label={`Activity of ${agentId}`} className={`min-h-0 min-w-0 flex-col border-line bg-panel ${place}`}>
      <VirtualList
        kind="log"
        label="Activity"
        items={blocks}
        keyOf={({ key }) => key}
        rowHeight={44}
        row={(block) => (
          <div className="px-4 py-1.5">
            <ActivityBlockView block={block} />
          </div>
        )}
        empty={problem === null ? <p className="p-4 text-soft">Nothing yet.</p> : <p className="p-4 text-bad">{problem}</p>}
      />
    </aside>
  );
}
