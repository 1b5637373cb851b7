import { Link } from '@tanstack/react-router';
import type { Node } from 'agent-relay-client';
import { useAskedAgain } from '../../live/use-asked-again.ts';
import { useList } from '../../live/use-list.ts';
import { useMayCall } from '../../live/use-live.ts';
import { reservationsView } from '../../relay/reservations.ts';
import { nodesView, runningView } from '../../relay/sessions.ts';
import { ListPane } from '../list-pane.tsx';
import { SpawnDialog } from '../spawn/spawn-dialog.tsx';
import { Empty, SplitPage } from '../split-page.tsx';
import { MachineCard } from './machine-card.tsx';
import { NoMachine } from './no-machine.tsx';
import { PairMachine } from './pair-machine.tsx';

/** The machines that run agents: what each has and does, and the means to let one in or out. */
export function FleetPage() {
  const maySpawn = useMayCall('sessions/start');
  const mayPair = useMayCall('nodes/pair');
  const mayAsk = useMayCall('hooks/describe');
  const running = useList(runningView);
  const nodes = useList(nodesView, inOrder);
  useAskedAgain(nodes.readAgain, LOAD_ASKED_MS);
  const list = (
    <>
      {mayPair ? <PairMachine /> : null}
      <ListPane
        list={nodes}
        label="Machines"
        keyOf={({ nodeId }) => nodeId}
        rowHeight={150}
        row={(node) => (
          <MachineCard
            node={node}
            running={running.status === 'ready' ? running.all.filter(({ nodeId }) => nodeId === node.nodeId) : null}
          />
        )}
        refused="This token may not see machines."
        empty={
          <Empty title="No machine yet.">
            <NoMachine away={[]} />
          </Empty>
        }
      />
    </>
  );
  return (
    <SplitPage
      title="Fleet"
      hint="Machines that run agents"
      tools={
        <>
          {mayAsk ? (
            <Link to="/hooks" className="text-accent text-xs hover:underline">
              Hooks
            </Link>
          ) : null}
          <ReservedLink />
          <span className="grow" />
          {maySpawn ? <SpawnDialog /> : null}
        </>
      }
      list={list}
      detail={null}
    />
  );
}

function ReservedLink() {
  const { status, all } = useList(reservationsView);
  if (status === 'refused') return null;
  return (
    <Link to="/reservations" className="text-accent text-xs hover:underline">
      Reserved files {all.length > 0 ? all.length : ''}
    </Link>
  );
}

/** How busy machines are the log does not tell. */
const LOAD_ASKED_MS = 30_000;

/** Those that are there first. */
const inOrder = (nodes: readonly Node[]): readonly Node[] =>
  [...nodes].sort(
    (one, other) => Number(other.status === 'online') - Number(one.status === 'online') || one.name.localeCompare(other.name),
  );
