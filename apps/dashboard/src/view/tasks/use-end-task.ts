import type { RouteRequest, Task } from 'agent-relay-protocol';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';

interface Ending extends Pick<RouteRequest<'tasks/status'>, 'id' | 'result'> {
  readonly status: 'done' | 'failed' | 'canceled';
}

export interface TaskEnd {
  readonly run: (ending: Ending) => void;
  readonly error: unknown;
  /** How the task stands then, while it does not yet; what was asked counts while the relay is told, and is taken back where it does not take it. */
  readonly expected: Task['status'] | null;
}

export function useEndTask(task: Task | undefined): TaskEnd {
  const [asked, setAsked] = useState<Task['status'] | null>(null);
  const { run, isPending, error, output } = useCommand((relay, ending: Ending) => relay.tasks.status(ending));
  // What was answered may be ahead of the log.
  const isAhead = output !== undefined && task !== undefined && output.updatedAt > task.updatedAt;
  return {
    run: (ending) => {
      setAsked(ending.status);
      run(ending);
    },
    error,
    expected: isPending ? asked : isAhead ? output.status : null,
  };
}
