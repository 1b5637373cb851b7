import { useIsLive } from '../live/use-connection.ts';
import { known } from './known.ts';

const tones: Readonly<Record<string, string>> = {
  waiting: 'bg-warn',
  stalled: 'bg-bad',
  // Nothing that moves: each frame of a pulse is drawn for as long as somebody works, which took a tenth of a processor.
  busy: 'bg-accent ring-2 ring-accent/40',
  idle: 'bg-good',
  online: 'bg-good',
  offline: 'bg-soft/40',
};

const order = { waiting: 0, stalled: 1, busy: 2, idle: 3, online: 3, offline: 4 } as const;
/** Who waits for a person is first, then who does not go on, then who is at work. */
export const rankOfPresence = (status: string): number => known<number>(order, status, () => order.online);

/** Its colour is of now: while the relay is not there nobody knows, and the dot is hollow. */
export function PresenceDot({ status }: { readonly status: string }) {
  const tone = useIsLive() ? known(tones, status, () => 'bg-soft') : 'border border-soft';
  return <span className={`size-2 shrink-0 rounded-full ${tone}`} data-presence={status} />;
}

const meanings: Readonly<Record<string, string>> = {
  waiting: 'It has asked something and waits for an answer',
  stalled: 'It is there and does not go on',
};

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
  const meaning = known(meanings, status, () => '');
  return meaning === '' ? (
    <span className="text-soft text-xs">{status}</span>
  ) : (
    <span className="text-warn text-xs" title={meaning}>
      {status}
    </span>
  );
}
