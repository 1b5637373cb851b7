import { known } from './known.ts';

const tones: Readonly<Record<string, string>> = {
  waiting: 'bg-warn',
  busy: 'bg-accent animate-pulse',
  idle: 'bg-good',
  online: 'bg-good',
  offline: 'bg-soft/40',
};

export const PresenceDot = ({ status }: { readonly status: string }) => (
  <span className={`size-2 shrink-0 rounded-full ${known(tones, status, () => 'bg-soft')}`} />
);

/** The word for it, in colour where a person is waited for. */
export const PresenceWord = ({ status }: { readonly status: string }) =>
  status === 'waiting' ? (
    <span className="text-warn text-xs" title="It has asked something and waits for an answer">
      waiting
    </span>
  ) : (
    <span className="text-soft text-xs">{status}</span>
  );
