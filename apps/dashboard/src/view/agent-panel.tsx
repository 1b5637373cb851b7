import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useActivity } from '../relay/use-activity.ts';
import { useAgents, useMayCall, useRelay, useSessions } from '../relay/use-relay.ts';
import { ActivityBlockView } from './activity-block.tsx';
import { errorText } from './format.ts';

/** One agent: who it is, what it does as it streams, and the means to stop it. */
export function AgentPanel({ agentId }: { readonly agentId: string }) {
  const relay = useRelay();
  const { data: agents = [] } = useAgents();
  const { data: sessions = [] } = useSessions();
  const agent = agents.find(({ id }) => id === agentId);
  const session = sessions.find(
    (candidate) => candidate.agentId === agentId && (candidate.status === 'running' || candidate.status === 'starting'),
  );
  const interrupt = useMutation({ mutationFn: () => relay.agents.interrupt({ id: agentId }) });
  const release = useMutation({ mutationFn: () => relay.agents.release({ id: agentId }) });
  const mayInterrupt = useMayCall('agents/interrupt');
  const mayRelease = useMayCall('agents/release');
  const problem = interrupt.error ?? release.error;
  return (
    <aside
      aria-label={`Activity of ${agentId}`}
      className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)] border-line border-t bg-panel md:border-t-0"
    >
      <header className="border-line border-b px-4 py-3">
        <div className="flex items-center gap-2">
          <h2 className="truncate font-semibold">{agentId}</h2>
          <span className="text-soft text-xs">{agent?.status ?? 'unknown'}</span>
          <span className="grow" />
          {session && mayInterrupt ? (
            <button
              type="button"
              className="button px-2 py-0.5 text-xs"
              disabled={agent?.status !== 'busy' || interrupt.isPending}
              onClick={() => interrupt.mutate()}
            >
              Interrupt
            </button>
          ) : null}
          {session && mayRelease ? (
            <button type="button" className="button px-2 py-0.5 text-xs" disabled={release.isPending} onClick={() => release.mutate()}>
              {release.isPending ? 'Releasing…' : 'Release'}
            </button>
          ) : null}
          <Link to="/" aria-label="Close" className="px-1 text-soft hover:text-ink">
            ✕
          </Link>
        </div>
        <p className="truncate text-soft text-xs">
          {[agent?.provider, session?.model, session?.mode, session?.cwd].filter(Boolean).join(' · ')}
        </p>
        {problem ? (
          <p role="alert" className="text-bad text-xs">
            {errorText(problem)}
          </p>
        ) : null}
      </header>
      <ActivityView agentId={agentId} />
    </aside>
  );
}

function ActivityView({ agentId }: { readonly agentId: string }) {
  const { blocks, problem } = useActivity(agentId);
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    if (element && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [blocks]);
  const onScroll = () => {
    const element = scroller.current;
    if (element) isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 60;
  };
  return (
    <div ref={scroller} onScroll={onScroll} className="min-h-0 space-y-3 overflow-y-auto p-4" role="log" aria-label="Activity">
      {problem === null ? null : <p className="text-bad">{problem}</p>}
      {problem === null && blocks.length === 0 ? <p className="text-soft">Nothing yet.</p> : null}
      {blocks.map((block) => (
        <ActivityBlockView key={block.key} block={block} />
      ))}
    </div>
  );
}
