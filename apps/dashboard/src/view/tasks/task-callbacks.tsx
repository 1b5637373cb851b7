import type { Task } from 'agent-relay-protocol';
import { useList } from '../../live/use-list.ts';
import { taskCallbacksView } from '../../relay/callbacks.ts';
import { CallbackRow } from '../callbacks/callback-row.tsx';
import { Section } from '../detail-pane.tsx';
import { Problem } from '../problem.tsx';

/** What the task's source was told, oldest first; nothing for a source that is not called back. */
export function TaskCallbacks({ task }: { readonly task: Task }) {
  const callbacks = useList(taskCallbacksView(task.id));
  if (callbacks.status === 'failed') return <Problem error={callbacks.error} onRetry={callbacks.readAgain} />;
  if (callbacks.all.length === 0) return null;
  return (
    <Section title={`What ${task.source} was told`}>
      <ul className="overflow-hidden rounded-lg border border-line">
        {callbacks.all.toReversed().map((callback) => (
          <li key={callback.id} className="border-line border-b last:border-b-0">
            <CallbackRow callback={callback} isOfTask />
          </li>
        ))}
      </ul>
    </Section>
  );
}
