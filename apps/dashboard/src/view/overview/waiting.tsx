import { Link } from '@tanstack/react-router';
import { useLive, useMayCall, useMe } from '../../live/use-live.ts';
import type { View } from '../../live/view.ts';
import { callbackCount, deadLetterCount, openHolds, pendingApprovals, stalledAgents } from '../../relay/open-counts.ts';
import { taskCountsView } from '../../relay/tasks.ts';
import { Problem } from '../problem.tsx';

const deadCallbacks = callbackCount('dead');
const activeTasks = taskCountsView({});

/** What does not go on without a person, each with the way there. */
export function Waiting() {
  const approvals = useCounted(pendingApprovals);
  const holds = useCounted(openHolds);
  const callbacks = useCounted(deadCallbacks);
  const letters = useCounted(deadLetterCount);
  const stalled = useLive(stalledAgents);
  const blocked = useLive(activeTasks);
  const rows = [
    { to: '/approvals', count: approvals.count, one: 'approval to give', many: 'approvals to give' },
    { to: '/holds', count: holds.count, one: 'held message to decide', many: 'held messages to decide' },
    {
      to: '/messages',
      search: { agents: 'stalled' },
      count: stalled.data?.length,
      one: 'agent that has stalled',
      many: 'agents that have stalled',
    },
    {
      to: '/messages',
      search: { deadLetter: true },
      count: letters.count,
      one: 'message that did not arrive',
      many: 'messages that did not arrive',
    },
    {
      to: '/tasks',
      search: { status: 'blocked' },
      count: blocked.data?.['blocked'],
      one: 'task that is blocked',
      many: 'tasks that are blocked',
    },
    { to: '/callbacks', count: callbacks.count, one: 'callback that was given up', many: 'callbacks that were given up' },
  ] as const;
  const isReading = [approvals, holds, callbacks, letters].some(({ isReading: is }) => is);
  const failed = [approvals, holds, callbacks, letters].find(({ error }) => error !== null);
  const open = rows.filter(({ count }) => count !== undefined && count > 0);
  if (open.length === 0 && failed !== undefined) return <Problem error={failed.error} onRetry={failed.readAgain} />;
  if (open.length === 0) return <p className="text-soft">{isReading ? 'Reading…' : 'Nothing waits for you.'}</p>;
  return (
    <ul className="grid gap-1">
      {open.map((row) => (
        <li key={row.one}>
          <Link
            to={row.to}
            search={'search' in row ? row.search : {}}
            className="flex items-center gap-3 rounded-lg px-2 py-1.5 hover:bg-raised"
          >
            <span className="min-w-8 rounded-full bg-warn px-2 text-center font-semibold text-ground tabular-nums">{row.count}</span>
            {row.count === 1 ? row.one : row.many}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** Undefined while it is not known, or not for who is signed in. */
function useCounted(view: View<number>) {
  const isKnown = useMe() !== undefined;
  const mayRead = useMayCall(view.route);
  const { data, error, readAgain } = useLive(view);
  return { isReading: (!isKnown || mayRead) && data === undefined && error === null, count: data, error, readAgain };
}
