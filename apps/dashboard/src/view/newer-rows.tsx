import { Link } from '@tanstack/react-router';
import { use } from 'react';
import { useIsLive } from '../live/use-connection.ts';
import type { Activity } from '../relay/use-activity.ts';
import { LeadsNowhere } from './leads-nowhere.ts';
import { Problem } from './problem.tsx';
import { useReadWhenNear } from './use-read-when-near.ts';

/** Where a log that was opened at a moment goes on: whoever comes here has the next page read, or goes to its end. */
export function NewerRows({ activity: { status, items, isAtEnd, newer } }: { readonly activity: Activity }) {
  const isMore = status === 'ready' && items.length > 0 && !isAtEnd;
  const place = useReadWhenNear(useIsLive() && isMore && !newer.isPending && newer.error === null, newer.run);
  return (
    <div ref={place} className="grid min-h-px justify-items-center px-4 text-center text-soft text-xs">
      {isMore ? (
        <p className="flex gap-3 py-3">
          {newer.isPending ? 'Reading…' : 'It goes on.'} <ToEnd />
        </p>
      ) : null}
      <Problem error={newer.error} onRetry={newer.run} />
    </div>
  );
}

function ToEnd() {
  if (use(LeadsNowhere)) return null;
  const toEnd = ({ entry: _entry, message: _message, ...before }: { readonly entry?: number; readonly message?: number }) => before;
  return (
    <Link to="." search={toEnd} className="text-accent hover:underline">
      To what it does now
    </Link>
  );
}
