import { Link } from '@tanstack/react-router';
import type { Agent, Node } from 'agent-relay-client';
import type { Task } from 'agent-relay-protocol';
import { useState } from 'react';
import { useAskedAgain } from '../../live/use-asked-again.ts';
import { useNow } from '../../live/use-connection.ts';
import { type List, useList } from '../../live/use-list.ts';
import { isWorker, machineOf, presenceIn } from '../../relay/agents.ts';
import { approvalsView } from '../../relay/approvals.ts';
import { tasksView } from '../../relay/tasks.ts';
import { daysUpTo, groupUsage, usageView } from '../../relay/usage.ts';
import { Ago } from '../ago.tsx';
import { visible } from '../approvals/approval-words.ts';
import { formatCost } from '../format.ts';
import { PresenceDot, PresenceWord, rankOfPresence } from '../presence-dot.tsx';
import { Problem } from '../problem.tsx';

const heldTasks = [tasksView({ status: 'in_progress' }), tasksView({ status: 'blocked' }), tasksView({ status: 'claimed' })] as const;

interface PresentProps {
  readonly agents: List<Agent>;
  readonly nodes: readonly Node[];
}

/** The agents that are there, who waits first; those that are away on request. */
export function Present({ agents, nodes }: PresentProps) {
  const [showsAway, setShowsAway] = useState(false);
  const presenceOf = presenceIn(useList(approvalsView).all);
  const taskOf = useTaskOf();
  const costOf = useCostToday();
  if (agents.status === 'failed') return <Problem error={agents.error} onRetry={agents.readAgain} />;
  if (agents.status === 'refused') return <p className="text-soft">This token may not see agents.</p>;
  if (agents.status === 'reading') return <p className="text-soft">Reading…</p>;
  const known = agents.all
    .filter(isWorker)
    .sort((one, other) => rankOfPresence(presenceOf(one)) - rankOfPresence(presenceOf(other)) || one.id.localeCompare(other.id));
  const there = known.filter((agent) => presenceOf(agent) !== 'offline');
  const shown = showsAway ? known : there;
  return (
    <>
      {shown.length === 0 ? <p className="text-soft">No agent is there now.</p> : null}
      <ul className="grid grid-cols-[minmax(0,1fr)]">
        {shown.map((agent) => (
          <li key={agent.id} className="border-line border-t first:border-t-0">
            <Row
              agent={agent}
              status={presenceOf(agent)}
              machine={machineOf(agent, nodes)}
              task={taskOf(agent.id)}
              costUsd={costOf(agent.id)}
            />
          </li>
        ))}
      </ul>
      {known.length === there.length ? null : (
        <button type="button" className="mt-2 text-accent text-xs hover:underline" onClick={() => setShowsAway(!showsAway)}>
          {showsAway ? 'Hide those that are away' : showWords(known.length - there.length)}
        </button>
      )}
    </>
  );
}

const showWords = (away: number): string => (away === 1 ? 'Show one that is away' : `Show ${away} that are away`);

/** The newest task that an agent has in hand. */
function useTaskOf(): (agentId: string) => Task | undefined {
  const [working, blocked, claimed] = heldTasks;
  const held = [useList(working).all, useList(blocked).all, useList(claimed).all].flat();
  const byHolder = new Map(held.toReversed().map((task) => [task.claimedBy, task]));
  return (agentId) => byHolder.get(agentId);
}

const ASK_MS = 60_000;

/** What an agent's turns of today cost, as far as its vendor says so. */
function useCostToday(): (agentId: string) => number {
  const [today = ''] = daysUpTo(useNow(ASK_MS), 1);
  const { all, readAgain } = useList(usageView({ since: today }));
  useAskedAgain(readAgain, ASK_MS);
  const costs = new Map(groupUsage(all, 'agent', 'costUsd').map(({ name, costUsd }) => [name, costUsd]));
  return (agentId) => costs.get(agentId) ?? 0;
}

interface RowProps {
  readonly agent: Agent;
  readonly status: string;
  readonly machine: string | null;
  readonly task: Task | undefined;
  readonly costUsd: number;
}

function Row({ agent, status, machine, task, costUsd }: RowProps) {
  const details = [agent.provider ?? agent.kind, machine && `on ${machine}`].filter(Boolean).join(' ');
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5 py-1.5">
      <span className="flex min-w-0 items-center gap-3">
        <PresenceDot status={status} />
        <Link
          to="/agents/$agentId"
          params={{ agentId: agent.id }}
          className="min-w-0 truncate font-medium hover:underline"
          title={agent.id}
        >
          {agent.id}
        </Link>
      </span>
      <span className="min-w-0 truncate text-soft text-xs">{details}</span>
      <span className="grow" />
      {costUsd === 0 ? null : (
        <Link
          to="/usage"
          search={{ agent: agent.id }}
          className="text-soft text-xs tabular-nums hover:underline"
          title="What its turns of today cost, in UTC; leads to all that it used"
        >
          {formatCost(costUsd)} <span className="sr-only">today</span>
        </Link>
      )}
      {status === 'offline' ? (
        <span className="text-soft text-xs">
          seen <Ago at={agent.lastSeenAt} />
        </span>
      ) : (
        <PresenceWord status={status} />
      )}
      {agent.stalled === undefined || status !== 'stalled' ? null : (
        <span className="w-full min-w-0 pl-5 text-warn text-xs [overflow-wrap:anywhere]">
          {visible(agent.stalled.detail)}, since <Ago at={agent.stalled.since} />
        </span>
      )}
      {task === undefined ? null : (
        <Link
          to="/tasks/$taskId"
          params={{ taskId: String(task.id) }}
          className="w-full min-w-0 truncate pl-5 text-accent text-xs hover:underline"
        >
          {task.status === 'blocked' ? 'blocked in' : 'works on'} {task.title}
        </Link>
      )}
    </div>
  );
}
