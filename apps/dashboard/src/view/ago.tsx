import { useNow } from '../live/use-connection.ts';
import { formatDate, formatDistance } from './format.ts';

/** A time, told from now; the full one shows when pointed at. */
export function Ago({ at, every }: { readonly at: number; readonly every?: number }) {
  const now = useNow(every);
  return (
    <time dateTime={new Date(at).toISOString()} title={formatDate(at)} className="whitespace-nowrap">
      {formatDistance(at, now)}
    </time>
  );
}
