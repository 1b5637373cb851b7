import type { Pair, PairEndCause } from 'agent-relay-protocol';
import { known } from '../known.ts';

/** How a pair stands, and how it ended. */
export function PairMark({ pair }: { readonly pair: Pair }) {
  switch (pair.status) {
    case 'pending':
      return <span className="text-warn">○ invited, no answer yet</span>;
    case 'active':
      return <span className="text-good">● talking</span>;
    case 'rejected':
      return <span className="text-soft">{because(`– declined by ${pair.target}`, pair.reason)}</span>;
    case 'ended':
      return <span className="text-soft">{because(`– ${endingOf(pair.cause)(pair.endedBy)}`, pair.reason)}</span>;
  }
  const { status }: { readonly status: string } = pair satisfies never;
  return <span className="text-soft">? {status}</span>;
}

const endings: Readonly<Record<PairEndCause, (who: string) => string>> = {
  hung_up: (who) => `${who} hung up`,
  offline: (who) => `${who} went offline`,
  replaced: (who) => `${who} was replaced by a newer session`,
  removed: (who) => `${who} was removed`,
};

const endingOf = (cause: string) => known(endings, cause, (word) => (who) => `${word}: ${who}`);

const because = (what: string, reason: string | null): string => (reason === null ? what : `${what}: ${reason}`);
