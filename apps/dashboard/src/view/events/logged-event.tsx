import type { RelayEvent } from 'agent-relay-client';
import { Fold } from '../fold.tsx';
import { formatDate, formatTime } from '../format.ts';
import { aboutOf } from './about.ts';

/** One event in a line; unfolded, all that it says. */
export function LoggedEvent({ name, event }: { readonly name: string; readonly event: RelayEvent }) {
  const { seq, at, type } = event;
  return (
    <div className="border-line border-b" data-event={type}>
      <Fold
        name={name}
        summaryLook="grid cursor-pointer grid-cols-[auto_auto_minmax(0,1fr)] items-baseline gap-x-3 px-4 py-1.5 text-xs"
        summary={
          <>
            <span className="text-soft tabular-nums">{seq}</span>
            <time dateTime={new Date(at).toISOString()} title={formatDate(at)} className="text-soft tabular-nums">
              {formatTime(at)}
            </time>
            <span className="flex min-w-0 flex-wrap gap-x-2">
              <span className="font-medium">{type}</span>
              <span className="min-w-0 truncate text-soft">{aboutOf(event)}</span>
            </span>
          </>
        }
      >
        <div className="px-4 pb-3">
          <pre className="max-h-96 overflow-auto whitespace-pre-wrap rounded-lg bg-raised p-2.5 font-mono text-xs [overflow-wrap:anywhere]">
            {JSON.stringify(event, null, 2)}
          </pre>
        </div>
      </Fold>
    </div>
  );
}
