import type { Task } from 'agent-relay-protocol';
import { useTaskCallbacks } from '../../relay/use-callbacks.ts';
import { CallbackRow } from '../callbacks/callback-row.tsx';
import { Section } from '../detail-pane.tsx';
import { Problem } from '../problem.tsx';

/** What the task's source was told, oldest first; nothing for a source that is not called back. */
export function TaskCallbacks({ task }: { readonly task: Task }) {
  const callbacks = useTaskCallbacks(task.id);
  if (callbacks.error) return <Problem error={callbacks.error} onRetry={() => void callbacks.refetch()} />;
  if (!callbacks.data || callbacks.data.length === 0) return null;
  return (
    <Section title={`What ${task.source} was told`}>
      <ul className="overflow-hidden rounded-lg border border-line">
        {callbacks.data.toReversed().map((callback) => (
          <li key={callback.id} className="border-line border-b last:border-b-0">
            <CallbackRow callback={callback} isOfTask />
          </li>
        ))}
      </ul>
    </Section>
  );
}
