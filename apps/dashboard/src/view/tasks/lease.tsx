import { useEffect } from 'react';
import { useNow } from '../../live/use-connection.ts';
import { useLive } from '../../live/use-live.ts';
import { claimView } from '../../relay/claims.ts';
import { Ago } from '../ago.tsx';

/** How long a task is in its holder's hands unless that is heard of. */
export function Lease({ claimId }: { readonly claimId: string }) {
  const { data, readAgain } = useLive(claimView(claimId));
  const now = useNow(5_000);
  const endsAt = data?.status === 'held' ? data.leaseExpiresAt : null;
  const isPast = endsAt !== null && endsAt <= now;
  useEffect(() => {
    // It was renewed meanwhile, or is about to be taken away.
    if (isPast) readAgain();
  }, [isPast, readAgain]);
  if (endsAt === null || isPast) return null;
  return (
    <span className="text-soft" title={`Fence ${data?.fence}`}>
      lease ends <Ago at={endsAt} every={5_000} />
    </span>
  );
}
