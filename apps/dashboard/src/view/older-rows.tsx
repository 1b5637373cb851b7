import { useEffect, useRef } from 'react';
import { useIsLive } from '../live/use-connection.ts';
import type { List } from '../live/use-list.ts';
import { Problem } from './problem.tsx';

interface OlderRowsProps {
  readonly list: Pick<List<unknown>, 'status' | 'items' | 'isWhole' | 'older'>;
  /** Said where there is nothing further back. */
  readonly end?: string | null;
}

/** Where a list goes further back than what was read: whoever comes here has the next page read. */
export function OlderRows({ list: { status, items, isWhole, older }, end = null }: OlderRowsProps) {
  const place = useRef<HTMLDivElement>(null);
  const isWanted = useIsLive() && status === 'ready' && items.length > 0 && !isWhole && !older.isPending && older.error === null;
  const { run } = older;
  const ask = useRef(run);
  useEffect(() => {
    ask.current = run;
  });
  useEffect(() => {
    if (!isWanted || !place.current) return;
    // Its own list is looked at: whoever is near the end of that is about to come to it.
    const near = { root: place.current.parentElement, rootMargin: '300px' };
    const observer = new IntersectionObserver((looks) => looks.at(-1)?.isIntersecting && ask.current(), near);
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [isWanted]);
  const words = older.isPending ? 'Reading…' : isWhole ? end : null;
  return (
    <div ref={place} className="grid min-h-px justify-items-center px-4 text-center text-soft text-xs">
      {words === null || items.length === 0 ? null : <p className="py-3">{words}</p>}
      <Problem error={older.error} onRetry={older.run} />
    </div>
  );
}
