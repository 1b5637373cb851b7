import type { ActivityWatchers, Session } from 'agent-relay-client';
import { principalName } from 'agent-relay-protocol';
import { useMe } from '../../live/use-live.ts';

/** Who else has this agent's activity open now; nothing where nobody has. */
export function AlsoHere({ others: { watchers, more } }: { readonly others: ActivityWatchers }) {
  const nameOf = useNames();
  if (watchers.length === 0) return null;
  const names = [...watchers.map(({ by }) => nameOf(by, ' in another place')), ...(more === 0 ? [] : [`${more} more`])];
  return (
    <p role="status" className="[overflow-wrap:anywhere] border-line border-b px-4 py-1 text-soft text-xs">
      Also here: {names.join(', ')}
    </p>
  );
}

/** Who steers an agent, where that is somebody else than whoever looks. */
export function SteeredBy({ session: { controllers = [] } }: { readonly session: Session }) {
  const me = useMyName();
  const nameOf = useNames();
  if (!controllers.some(({ by }) => by !== me)) return null;
  return <p className="[overflow-wrap:anywhere] text-soft text-xs">Steered by {controllers.map(({ by }) => nameOf(by)).join(', ')}</p>;
}

/** Names as the log has them; whoever looks is `you`, and whoever has a link to the log nobody knows. */
function useNames() {
  const me = useMyName();
  return (by: string, whereElse = ''): string => {
    if (by === me) return `you${whereElse}`;
    return by.startsWith('share:') ? 'somebody with a link' : by;
  };
}

/** As it stands in `by`; null until that is known. */
function useMyName(): string | null {
  const me = useMe();
  return me === undefined ? null : principalName(me);
}
