import { useIsLive } from '../live/use-connection.ts';
import { known } from './known.ts';

const tones: Readonly<Record<string, string>> = {
  waiting: 'bg-warn',
  busy: 'bg-accent animate-pulse',
  idle: 'bg-good',
  online: 'bg-good',
  offline: 'bg-soft/40',
};

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
