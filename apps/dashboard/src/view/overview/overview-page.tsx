import { type ReactNode, useState } from 'react';
import { useList } from '../../live/use-list.ts';
import { useMayCall } from '../../live/use-live.ts';
import { agentsView, isWorker } from '../../relay/agents.ts';
import { nodesView } from '../../relay/sessions.ts';
import { lazyPart } from '../lazy-page.tsx';
import { SpawnDialog } from '../spawn/spawn-dialog.tsx';
import { Present } from './present.tsx';
import { ThroughputChart } from './throughput-chart.tsx';
import { Waiting } from './waiting.tsx';

const FirstRun = lazyPart(async () => (await import('./first-run.tsx')).FirstRun);

/** Who is there, what waits for a person, and how much is going on. */
export function OverviewPage() {
  const maySpawn = useMayCall('sessions/start');
  const agents = useList(agentsView);
  const nodes = useList(nodesView);
  const isNew = agents.status === 'ready' && nodes.status !== 'reading' && !agents.all.some(isWorker);
  // Who has begun sees the rest of the way, until they close it.
  const [isBeginning, setBeginning] = useState(false);
  if (isNew && !isBeginning) setBeginning(true);
  return (
    <main className="min-h-0 overflow-y-auto">
      <div className="mx-auto grid max-w-6xl grid-cols-[minmax(0,1fr)] gap-4 p-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <h2 className="sr-only">Overview</h2>
        <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4 lg:order-last">
          <Panel title="Waits for you">
            <Waiting />
          </Panel>
          <Panel title="Said now">
            <ThroughputChart />
          </Panel>
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-4">
          {isBeginning ? (
            <Panel title="Get going" tool={isNew ? null : <CloseFirstRun onClose={() => setBeginning(false)} />}>
              <FirstRun />
            </Panel>
          ) : null}
          <Panel title="Who is there" tool={maySpawn ? <SpawnDialog /> : null}>
            <Present agents={agents} nodes={nodes.all} />
          </Panel>
        </div>
      </div>
    </main>
  );
}

const CloseFirstRun = ({ onClose }: { readonly onClose: () => void }) => (
  <button type="button" className="button px-2 py-0.5 text-xs" onClick={onClose}>
    Done
  </button>
);

const Panel = ({ title, tool = null, children }: { readonly title: string; readonly tool?: ReactNode; readonly children: ReactNode }) => (
  <section aria-label={title} className="min-w-0 rounded-xl border border-line bg-panel p-4">
    <div className="mb-2 flex items-center justify-between">
      <h3 className="font-medium text-soft text-xs uppercase tracking-wide">{title}</h3>
      {tool}
    </div>
    {children}
  </section>
);
