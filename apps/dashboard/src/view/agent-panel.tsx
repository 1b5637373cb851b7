import { Link } from '@tanstack/react-router';
import type { Agent, Session } from 'agent-relay-client';
import { useRef } from 'react';
import { useCommand } from '../live/use-command.ts';
import { useList } from '../live/use-list.ts';
import { useMayCall } from '../live/use-live.ts';
import { agentsView } from '../relay/agents.ts';
import { sessionsView } from '../relay/sessions.ts';
import { useActivity } from '../relay/use-activity.ts';
import { ActivityBlockView } from './activity-block.tsx';
import { errorText } from './format.ts';
import { useStaysAtEnd } from './use-stays-at-end.ts';

/** One agent: who it is, what it does as it streams, and the means to stop it. */
export function AgentPanel({ agentId }: { readonly agentId: string }) {
  const agent = useList(agentsView).all.find(({ id }) => id === agentId);
  const session = useList(sessionsView).all.find((candidate) => candidate.agentId === agentId && isUnfinished(candidate));
  return (
    <aside
      aria-label={`Activity of ${agentId}`}
      className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)] border-line border-t bg-panel md:border-t-0"
    >
      <Header agentId={agentId} agent={agent} session={session} />
      <ActivityView agentId={agentId} />
    </aside>
  );
}

const isUnfinished = ({ status }: Session): boolean => status === 'running' || status === 'starting';

interface HeaderProps {
  readonly agentId: string;
  readonly agent: Agent | undefined;
  readonly session: Session | undefined;
}

function Header({ agentId, agent, session }: HeaderProps) {
  const interrupt = useCommand((relay) => relay.agents.interrupt({ id: agentId }));
  const release = useCommand((relay) => relay.agents.release({ id: agentId }));
  const mayInterrupt = useMayCall('agents/interrupt');
  const mayRelease = useMayCall('agents/release');
  const problem = interrupt.error ?? release.error;
  return (
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
            onClick={() => interrupt.run()}
          >
            Interrupt
          </button>
        ) : null}
        {session && mayRelease ? (
          <button type="button" className="button px-2 py-0.5 text-xs" disabled={release.isPending} onClick={() => release.run()}>
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
  );
}

function ActivityView({ agentId }: { readonly agentId: string }) {
  const { blocks, problem } = useActivity(agentId);
  const scroller = useRef<HTMLDivElement>(null);
  const toEnd = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  const onScroll = useStaysAtEnd(scroller, { isOn: true, changed: blocks, toEnd });
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
