import { useIsLive } from '../live/use-connection.ts';
import { known } from './known.ts';

const tones: Readonly<Record<string, string>> = {
  waiting: 'bg-warn',
  busy: 'bg-accent animate-pulse',
  idle: 'bg-good',
  online: 'bg-good',
  offline: 'bg-soft/40',
};

const order = { waiting: 0, busy: 1, idle: 2, online: 2, offline: 3 } as const;
/** Who waits for a person is first, then who is at work. */
export const rankOfPresence = (status: string): number => known<number>(order, status, () => order.online);

/** Its colour is of now: while the relay is not there nobody knows, and the dot is hollow. */
export function PresenceDot({ status }: { readonly status: string }) {
  const tone = useIsLive() ? known(tones, status, () => 'bg-soft') : 'border border-soft';
  return <span className={`size-2 shrink-0 rounded-full ${tone}`} data-presence={status} />;
}

/** The word for it, in colour where a person is waited for. */
export function PresenceWord({ status }: { readonly status: string }) {
  const isLive = useIsLive();
  if (!isLive) {
    return (
      <span className="text-soft text-xs" title="As it was when the relay was last heard of">
        was {status}
      </span>
    );
  }
  return status === 'waiting' ? (
    <span className="text-warn text-xs" title="It has asked something and waits for an answer">
      waiting
    </span>
  ) : (
    <span className="text-soft text-xs">{status}</span>
  );
}
