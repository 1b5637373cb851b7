import type { Reservation } from 'agent-relay-protocol';
import { mayGiveBack } from '../../live/permissions.ts';
import { useCommand } from '../../live/use-command.ts';
import { useMe } from '../../live/use-live.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { visible } from '../approvals/approval-words.ts';
import { ConfirmButton } from '../confirm-button.tsx';

interface ReservationRowProps {
  readonly reservation: Reservation;
  /** What others have of the same files. */
  readonly shared: readonly Reservation[];
}

/** One reservation: whose, of what, how far it binds others, and the means to end it, which counts while the relay is told. */
export function ReservationRow({ reservation, shared }: ReservationRowProps) {
  const { id, agentId, patterns, folder, enforced, note, createdAt, leaseExpiresAt } = reservation;
  const release = useCommand((relay) => relay.reservations.release({ id }));
  const isOver = release.isPending || release.output !== undefined;
  const mayRelease = mayGiveBack(useMe(), agentId);
  return (
    <article
      className={`flex flex-wrap items-start gap-x-3 gap-y-2 border-line border-b px-4 py-3 ${isOver ? 'opacity-70' : ''}`}
      data-reservation={id}
    >
      <div className="grid min-w-64 grow basis-0 gap-1">
        <p className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
          <AgentLink id={agentId} className="font-semibold" />
          {patterns.map((pattern) => (
            <code key={pattern} className="rounded bg-raised px-1 font-mono text-xs [overflow-wrap:anywhere]">
              {visible(pattern)}
            </code>
          ))}
        </p>
        {note === null ? null : <p className="[overflow-wrap:anywhere]">{visible(note)}</p>}
        <p className="text-soft text-xs [overflow-wrap:anywhere]">
          in <code className="font-mono">{visible(folder)}</code> ·{' '}
          {enforced ? 'keeps others out' : 'others are told, and kept from nothing'} · made <Ago at={createdAt} /> ·{' '}
          {isOver ? (
            'taken away'
          ) : (
            <>
              ends <Ago at={leaseExpiresAt} every={5_000} />
            </>
          )}
        </p>
        {shared.length === 0 ? null : <Shared shared={shared} />}
      </div>
      {mayRelease && !isOver ? (
        <ConfirmButton
          word="Take away"
          label={`Take away reservation ${id} of ${agentId}`}
          confirmWord={`Others may have the files of ${agentId}`}
          command={release}
        />
      ) : null}
    </article>
  );
}

const Shared = ({ shared }: Pick<ReservationRowProps, 'shared'>) => (
  <p className="text-warn text-xs [overflow-wrap:anywhere]" data-shared>
    Some of these files are reserved by{' '}
    {shared.map(({ id, agentId, patterns }, index) => (
      <span key={id}>
        {index === 0 ? '' : ', '}
        <AgentLink id={agentId} className="underline" /> too ({visible(patterns.join(' '))})
      </span>
    ))}
  </p>
);
