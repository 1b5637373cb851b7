import { useIsLive } from '../live/use-connection.ts';
import type { List } from '../live/use-list.ts';
import { Problem } from './problem.tsx';
import { useReadWhenNear } from './use-read-when-near.ts';

interface OlderRowsProps {
  readonly list: Pick<List<unknown>, 'status' | 'items' | 'isWhole' | 'older'>;
  /** Said where there is nothing further back. */
  readonly end?: string | null;
}

/** Where a list goes further back than what was read: whoever comes here has the next page read. */
export function OlderRows({ list: { status, items, isWhole, older }, end = null }: OlderRowsProps) {
  const isWanted = useIsLive() && status === 'ready' && items.length > 0 && !isWhole && !older.isPending && older.error === null;
  const place = useReadWhenNear(isWanted, older.run);
  const words = older.isPending ? 'Reading…' : isWhole ? end : null;
  return (
    <div ref={place} className="grid min-h-px justify-items-center px-4 text-center text-soft text-xs">
      {words === null || items.length === 0 ? null : <p className="py-3">{words}</p>}
      <Problem error={older.error} onRetry={older.run} />
    </div>
  );
}
