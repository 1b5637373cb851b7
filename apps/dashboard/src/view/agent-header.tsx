import { Link } from '@tanstack/react-router';
import type { Session } from 'agent-relay-client';
import { useCommand } from '../live/use-command.ts';
import { useList } from '../live/use-list.ts';
import { useLive, useMayCall } from '../live/use-live.ts';
import { agentsView, machineOf, presenceIn } from '../relay/agents.ts';
import { readAgentsShown } from '../relay/agents-shown.ts';
import { approvalsView } from '../relay/approvals.ts';
import { isUnfinished, lastSessionView, nodesView } from '../relay/sessions.ts';
import { ActButton } from './act-button.tsx';
import { SteeredBy } from './agent/also-here.tsx';
import { EditCard } from './agent/edit-card.tsx';
import { GoToTime } from './agent/go-to-time.tsx';
import { ShownSession } from './agent/session-choice.tsx';
import { ShareLog } from './agent/share-log.tsx';
import { StartAgain } from './agent/start-again.tsx';
import { Ago } from './ago.tsx';
import { visible } from './approvals/approval-words.ts';
import { PresenceWord } from './presence-dot.tsx';
import { Problem } from './problem.tsx';
import { AgentReserves } from './reservations/agent-reserves.tsx';

interface AgentHeaderProps {
  readonly agentId: string;
  /** Which of its sessions is looked at; null for all. */
  readonly session: string | null;
  readonly place: string;
}

/** One agent: who it is, how its session stands or ended, and the means to stop it or to start it again. */
export function AgentHeader({ agentId, session: shownSession, place }: AgentHeaderProps) {
  const agent = useList(agentsView).all.find(({ id }) => id === agentId);
  const presenceOf = presenceIn(useList(approvalsView).all);
  const session = useLive(lastSessionView(agentId)).data ?? null;
  const isOver = session !== null && !isUnfinished(session);
  const nodes = useList(nodesView).all;
  const machine = agent && machineOf(agent, nodes);
  return (
    <section aria-label={agentId} className={`grid content-start gap-1 border-line border-b bg-panel px-4 py-3 ${place}`}>
      <div className="flex items-center gap-2">
        <h2 className="truncate font-semibold" title={agentId}>
          {agentId}
        </h2>
        <PresenceWord status={agent === undefined ? 'unknown' : presenceOf(agent)} />
        <span className="grow" />
        <Link
          to="/messages"
          search={(before) => readAgentsShown({ ...before })}
          aria-label="Close"
          className="px-1 text-soft hover:text-ink"
        >
          ✕
        </Link>
      </div>
      <p className="[overflow-wrap:anywhere] text-soft text-xs empty:hidden">
        {[
          agent?.provider,
          machine && `on ${machine}`,
          agent?.label && `called ${agent.label}`,
          agent?.tags.map((tag) => `tag:${tag}`).join(' '),
          agent?.capabilities.map((name) => `cap:${name}`).join(' '),
          session?.model,
          session?.mode,
          agent && agent.approval !== 'open' ? agent.approval : null,
          session?.cwd,
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      {agent?.stalled === undefined ? null : (
        <p className="[overflow-wrap:anywhere] text-warn text-xs">
          {visible(agent.stalled.detail)}, since <Ago at={agent.stalled.since} />
        </p>
      )}
      <AgentReserves agentId={agentId} />
      <div className="flex flex-wrap items-center gap-2 text-xs">
        {agent === undefined ? null : <EditCard agent={agent} />}
        <ShownSession agentId={agentId} shown={shownSession} />
        {session === null ? null : <GoToTime agentId={agentId} session={shownSession} />}
        {session === null ? null : <ShareLog agentId={agentId} sessionId={shownSession ?? session.sessionId} />}
        {session !== null && !isOver ? <Stop agentId={agentId} isBusy={agent?.status === 'busy'} /> : null}
      </div>
      {session === null || isOver ? null : <SteeredBy session={session} />}
      {isOver ? <Ended session={session} /> : null}
      {isOver && agent?.status === 'offline' ? <StartAgain last={session} shownId={shownSession} agent={agent} nodes={nodes} /> : null}
    </section>
  );
}

function Ended({ session: { status, reason, endedAt } }: { readonly session: Session }) {
  return (
    <p className={`[overflow-wrap:anywhere] text-xs ${status === 'failed' ? 'text-bad' : 'text-soft'}`} data-session-status={status}>
      Its session {status} {endedAt === null ? null : <Ago at={endedAt} />}
      {reason === null ? '' : `: ${reason}`}
    </p>
  );
}

function Stop({ agentId, isBusy }: { readonly agentId: string; readonly isBusy: boolean }) {
  const interrupt = useCommand((relay) => relay.agents.interrupt({ id: agentId }));
  const release = useCommand((relay) => relay.agents.release({ id: agentId }));
  const mayInterrupt = useMayCall('agents/interrupt');
  const mayRelease = useMayCall('agents/release');
  return (
    <div className="flex flex-wrap items-center gap-2 empty:hidden">
      {mayInterrupt ? (
        <ActButton className="button px-2 py-0.5 text-xs" isBusy={!isBusy || interrupt.isPending} onClick={() => interrupt.run()}>
          Interrupt
        </ActButton>
      ) : null}
      {mayRelease ? (
        <ActButton className="button px-2 py-0.5 text-xs" isBusy={release.isPending} onClick={() => release.run()}>
          {release.isPending ? 'Releasing…' : 'Release'}
        </ActButton>
      ) : null}
      <Problem error={interrupt.error ?? release.error} />
    </div>
  );
}
