import { Link } from '@tanstack/react-router';
import type { Agent } from 'agent-relay-client';
import { useState } from 'react';
import { useList } from '../live/use-list.ts';
import { useMayCall } from '../live/use-live.ts';
import { agentsView, isShownAgent, presenceIn } from '../relay/agents.ts';
import { approvalsView } from '../relay/approvals.ts';
import { ListPane } from './list-pane.tsx';
import { PresenceDot, PresenceWord, rankOfPresence } from './presence-dot.tsx';
import { SpawnDialog } from './spawn/spawn-dialog.tsx';

/** With fewer there is nothing to look for. */
const FILTER_FROM = 12;

export function AgentList({ selectedId }: { readonly selectedId: string | null }) {
  const [find, setFind] = useState('');
  const presenceOf = presenceIn(useList(approvalsView).all);
  const agents = useList(agentsView, (all) => arrange(all, find, presenceOf));
  const maySpawn = useMayCall('sessions/start');
  const count = agents.all.filter(isShownAgent).length;
  return (
    <nav aria-label="Agents" className="flex min-h-0 flex-col bg-panel">
      <div className="flex items-center justify-between px-4 pt-3 pb-2">
        <Link to="/messages" className="font-medium text-soft text-xs uppercase tracking-wide hover:text-ink">
          Agents {count >= FILTER_FROM ? count : ''}
        </Link>
        {maySpawn ? <SpawnDialog /> : null}
      </div>
      {count < FILTER_FROM ? null : (
        <input
          type="search"
          aria-label="Find agents"
          className="field mx-3 mb-2 text-xs"
          placeholder="Find"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
      )}
      <ListPane
        list={agents}
        label="Agents"
        keyOf={({ id }) => id}
        rowHeight={50}
        selected={selectedId}
        row={(agent) => <AgentRow agent={agent} status={presenceOf(agent)} isSelected={agent.id === selectedId} />}
        refused="This token may not see agents."
        empty={<NoAgents />}
        noneFits={count > 0 ? <p className="px-4 text-soft">No agent fits.</p> : <NoAgents />}
      />
    </nav>
  );
}

/** Those that the words fit: who waits for a person first, then who is at work. */
function arrange(all: readonly Agent[], find: string, presenceOf: (agent: Agent) => string): readonly Agent[] {
  const wanted = find.trim().toLowerCase();
  return all
    .filter((agent) => isShownAgent(agent) && (wanted === '' || wordsOf(agent).includes(wanted)))
    .sort((left, right) => rankOfPresence(presenceOf(left)) - rankOfPresence(presenceOf(right)) || left.id.localeCompare(right.id));
}

const wordsOf = (agent: Agent): string => [agent.id, ...detailsOf(agent), ...agent.tags].join('\n').toLowerCase();

const detailsOf = ({ provider, kind, label, capabilities }: Agent): readonly string[] =>
  [provider ?? kind, label, ...capabilities].filter((detail) => detail !== null);

function NoAgents() {
  return (
    <p className="px-4 text-soft">
      No agents yet. Start one here or with <code className="font-mono text-xs">npx agent-relay-server spawn claude --name Lead</code>.
    </p>
  );
}

interface AgentRowProps {
  readonly agent: Agent;
  readonly status: string;
  readonly isSelected: boolean;
}

function AgentRow({ agent, status, isSelected }: AgentRowProps) {
  const details = detailsOf(agent).join(' · ');
  return (
    <Link
      to="/agents/$agentId"
      params={{ agentId: agent.id }}
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
