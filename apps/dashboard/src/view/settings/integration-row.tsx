import { Link } from '@tanstack/react-router';
import type { Integration } from 'agent-relay-protocol';
import { Ago } from '../ago.tsx';

/** A system outside: what it may, where it is told of its tasks, and how many it has. */
export function IntegrationRow({ integration }: { readonly integration: Integration }) {
  const { name, configured, scopes, targets, channels, callbackHost, tasks, lastSeenAt } = integration;
  const narrowed = [...(targets ?? []), ...(channels ?? []).map((channel) => `#${channel}`)];
  return (
    <li className="grid gap-0.5" data-integration={name}>
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium">{name}</span>
        {configured ? null : <span className="text-warn text-xs">not set up any more</span>}
        <span className="grow" />
        <Link to="/tasks" search={{ source: name, status: 'all' }} className="text-accent text-xs hover:underline">
          {tasks.active} of {tasks.total} tasks active
        </Link>
      </p>
      <p className="text-soft text-xs [overflow-wrap:anywhere]">
        {configured ? `may ${scopes.join(' ')}` : ''}
        {narrowed.length === 0 ? '' : ` · only to ${narrowed.join(', ')}`}
        {callbackHost === null ? ' · is told nothing' : ` · is told at ${callbackHost}`}
        {lastSeenAt === null ? ' · has not reported yet' : ' · reported '}
        {lastSeenAt === null ? null : <Ago at={lastSeenAt} />}
      </p>
    </li>
  );
}
