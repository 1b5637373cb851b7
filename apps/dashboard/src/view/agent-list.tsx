import { Link } from '@tanstack/react-router';
import type { Agent } from 'agent-relay-client';
import { useList } from '../live/use-list.ts';
import { useMayCall } from '../live/use-live.ts';
import { type AgentGroup, type GroupedAgents, groupAgents } from '../relay/agent-groups.ts';
import { agentsView, isShownAgent, machineOf, presenceIn } from '../relay/agents.ts';
import type { AgentsShown } from '../relay/agents-shown.ts';
import { approvalsView } from '../relay/approvals.ts';
import { nodesView, runningView } from '../relay/sessions.ts';
import { AgentListTools, GROUP_FROM } from './agent-list-tools.tsx';
import { ListPane } from './list-pane.tsx';
import { PresenceDot, PresenceWord, rankOfPresence } from './presence-dot.tsx';
import { SpawnDialog } from './spawn/spawn-dialog.tsx';

interface AgentListProps {
  readonly selectedId: string | null;
  readonly shown: AgentsShown;
}

export function AgentList({ selectedId, shown }: AgentListProps) {
  const presenceOf = presenceIn(useList(approvalsView).all);
  const modelOf = useModelOf();
  const detailsOf = (agent: Agent) => detailsWith(agent, modelOf(agent));
  const agents = useList(agentsView);
  const maySpawn = useMayCall('sessions/start');
  const count = agents.all.filter(isShownAgent).length;
  const inOrder = agents.all
    .filter((agent) => isShownAgent(agent) && fits(shown.agents, [agent.id, presenceOf(agent), ...detailsOf(agent), ...agent.tags]))
    .sort((left, right) => rankOfPresence(presenceOf(left)) - rankOfPresence(presenceOf(right)) || left.id.localeCompare(right.id));
  const { agents: items, groupFrom } = useGrouped(inOrder, shown, presenceOf);
  return (
    <nav aria-label="Agents" className="flex min-h-0 flex-col bg-panel">
      <div className="flex items-center justify-between px-4 pt-3 pb-2">
        <Link to="/messages" search={shown} className="font-medium text-soft text-xs uppercase tracking-wide hover:text-ink">
          Agents {count >= GROUP_FROM ? count : ''}
        </Link>
        {maySpawn ? <SpawnDialog /> : null}
      </div>
      <AgentListTools count={count} shown={shown} />
      <ListPane
        list={{ ...agents, items }}
        label="Agents"
        keyOf={({ id }) => id}
        rowHeight={50}
        selected={selectedId}
        row={(agent) => (
          <>
            <GroupName group={groupFrom.get(agent.id)} />
            <AgentRow
              agent={agent}
              details={detailsOf(agent).join(' · ')}
              status={presenceOf(agent)}
              isSelected={agent.id === selectedId}
              shown={shown}
            />
          </>
        )}
        refused="This token may not see agents."
        empty={<NoAgents />}
        noneFits={count > 0 ? <p className="px-4 text-soft">No agent fits.</p> : <NoAgents />}
      />
    </nav>
  );
}

const fits = (words: string | undefined, said: readonly string[]): boolean =>
  said
    .join('\n')
    .toLowerCase()
    .includes((words ?? '').trim().toLowerCase());

const detailsWith = ({ provider, kind, label, capabilities }: Agent, model: string | null): readonly string[] =>
  [provider ?? kind, model, label, ...capabilities].filter((detail) => detail !== null);

/** The model of what runs now, where its vendor has named it. */
function useModelOf(): (agent: Agent) => string | null {
  const models = new Map(useList(runningView).all.map(({ sessionId, model }) => [sessionId, model]));
  return ({ sessionId }) => (sessionId === null ? null : (models.get(sessionId) ?? null));
}

const NO_MACHINE = 'no machine';

/** Who waits for a person first, then who is at work, whatever they are grouped by; of machines those that are named. */
function useGrouped(inOrder: readonly Agent[], { by }: AgentsShown, presenceOf: (agent: Agent) => string): GroupedAgents<Agent> {
  const nodes = useList(nodesView).all;
  if (by === 'state') return groupAgents(inOrder, presenceOf);
  if (by === undefined) return { agents: inOrder, groupFrom: new Map() };
  return groupAgents(
    inOrder,
    (agent) => machineOf(agent, nodes) ?? NO_MACHINE,
    (one, other) => Number(one === NO_MACHINE) - Number(other === NO_MACHINE) || one.localeCompare(other),
  );
}

const GroupName = ({ group }: { readonly group: AgentGroup | undefined }) =>
  group === undefined ? null : (
    <p className="flex items-baseline gap-2 px-5 pt-2 pb-1 text-soft text-xs" data-group={group.name}>
      <span className="min-w-0 truncate font-medium text-ink" title={group.name}>
        {group.name}
      </span>
      <span className="tabular-nums">{group.count}</span>
    </p>
  );

function NoAgents() {
  return (
    <p className="px-4 text-soft">
      No agents yet. Start one here or with <code className="font-mono text-xs">npx agent-relay-server spawn claude --name Lead</code>.
    </p>
  );
}

interface AgentRowProps {
  readonly agent: Agent;
  readonly details: string;
  readonly status: string;
  readonly isSelected: boolean;
  readonly shown: AgentsShown;
}

function AgentRow({ agent, details, status, isSelected, shown }: AgentRowProps) {
  return (
    <Link
      to="/agents/$agentId"
      params={{ agentId: agent.id }}
      search={shown}
      aria-current={isSelected}
      className={`mx-3 mb-0.5 flex items-center gap-2.5 rounded-lg px-2 py-1.5 hover:bg-raised ${isSelected ? 'bg-raised' : ''}`}
    >
      <PresenceDot status={status} />
      <span className="min-w-0 grow">
        <span className="block truncate font-medium" title={agent.id}>
          {agent.id}
        </span>
        <span className="block truncate text-soft text-xs" title={details}>
          {details}
        </span>
      </span>
      <PresenceWord status={status} />
    </Link>
  );
}
