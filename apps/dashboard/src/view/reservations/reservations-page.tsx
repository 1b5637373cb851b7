import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { sharedReservations } from '../../relay/reservations.ts';
import { ListPane } from '../list-pane.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { ReservationRow } from './reservation-row.tsx';
import { useReservations } from './use-reservations.ts';

/** Files that agents have for themselves: who has which, until when, who else wants them, and the means to take them away. */
export function ReservationsPage({ agentId }: { readonly agentId: string | null }) {
  const reservations = useReservations(agentId);
  const { all } = reservations;
  const shared = useMemo(() => sharedReservations(all), [all]);
  const list = (
    <ListPane
      list={reservations}
      label="Reserved files"
      keyOf={({ id }) => id}
      rowHeight={92}
      row={(reservation) => <ReservationRow reservation={reservation} shared={shared.get(reservation.id) ?? []} />}
      refused="This token may not see who has reserved files."
      empty={<NoReservations />}
      noneFits={<Empty title={`${agentId} has reserved no files.`} />}
    />
  );
  const tools =
    agentId === null ? null : (
      <>
        <span className="min-w-0 truncate text-soft text-xs">of {agentId}</span>
        <Link to="/reservations" className="text-accent text-xs hover:underline">
          Show all
        </Link>
      </>
    );
  return (
    <SplitPage title="Reserved files" hint="Files that agents have for themselves for a while" tools={tools} list={list} detail={null} />
  );
}

const NoReservations = () => (
  <Empty title="Nobody has reserved files.">
    <p>
      Agents that work in the same folder reserve what they are about to change with the tool{' '}
      <code className="font-mono text-xs">relay_reserve</code>, and so can you for one:{' '}
      <code className="font-mono text-xs">agent-relay reservations add src/auth/ --agent Worker</code>
    </p>
  </Empty>
);
