import { Link } from '@tanstack/react-router';
import type { Agent } from 'agent-relay-client';
import { useAgents } from '../relay/use-relay.ts';
import { SpawnDialog } from './spawn-dialog.tsx';

const dots = {
  busy: 'bg-accent animate-pulse',
  idle: 'bg-good',
  online: 'bg-good',
  offline: 'bg-soft/40',
} as const;

const order = { busy: 0, idle: 1, online: 1, offline: 2 } as const;

export function AgentList({ selectedId }: { readonly selectedId: string | null }) {
  const { data: agents = [], isPending } = useAgents();
  const people = agents
    .filter(({ kind }) => kind !== 'system')
    .sort((left, right) => order[left.status] - order[right.status] || left.id.localeCompare(right.id));
  return (
    <nav aria-label="Agents" className="flex min-h-0 flex-col overflow-y-auto bg-panel p-3">
      <div className="mb-2 flex items-center justify-between px-1">
        <Link to="/" className="font-medium text-soft text-xs uppercase tracking-wide hover:text-ink">
          Agents
        </Link>
        <SpawnDialog />
      </div>
      {people.length === 0 && !isPending ? (
        <p className="px-1 text-soft">
          No agents yet. Start one here or with <code className="font-mono text-xs">npx agent-relay spawn claude --name Lead</code>.
        </p>
      ) : null}
      <ul className="space-y-0.5">
        {people.map((agent) => (
          <AgentRow key={agent.id} agent={agent} isSelected={agent.id === selectedId} />
        ))}
      </ul>
    </nav>
  );
}

function AgentRow({ agent, isSelected }: { readonly agent: Agent; readonly isSelected: boolean }) {
  const detail = [agent.provider ?? agent.kind, agent.label, ...agent.capabilities].filter(Boolean).join(' · ');
  return (
    <li>
      <Link
        to="/agents/$agentId"
        params={{ agentId: agent.id }}
        aria-current={isSelected}
        className={`flex items-center gap-2.5 rounded-lg px-2 py-1.5 hover:bg-raised ${isSelected ? 'bg-raised' : ''}`}
      >
        <span className={`size-2 shrink-0 rounded-full ${dots[agent.status]}`} />
        <span className="min-w-0 grow">
          <span className="block truncate font-medium">{agent.id}</span>
          <span className="block truncate text-soft text-xs">{detail}</span>
        </span>
        <span className="text-soft text-xs">{agent.status}</span>
      </Link>
    </li>
  );
}
