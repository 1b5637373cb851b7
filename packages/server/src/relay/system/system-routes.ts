import { PROTOCOL_VERSION, RELAY_VERSION, RelayError, type RouteOutput } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { browserHostOf } from '../../domain/browser-host.ts';
import { feedHealth, overallStatus, type PartHealth } from '../../domain/health.ts';
import { isBuiltIn } from '../../domain/membership.ts';
import { isOwner } from '../../domain/scopes.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { Store } from '../../store/store.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import type { SessionsPart } from '../relay-core.ts';
import type { Tokens } from '../tokens/tokens.ts';

export interface SystemRoutesDeps {
  readonly store: Pick<Store, 'agents' | 'log' | 'counts' | 'check'>;
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly sessions: Pick<SessionsPart, 'counts'>;
  readonly feed: Pick<EventFeed, 'fault' | 'position'>;
  /** Further parts of this installation, by name. */
  readonly probes: Readonly<Record<string, () => Promise<PartHealth>>>;
  readonly configuration: RouteOutput<'system/settings'>;
}

type SystemHandlers = HandlersOf<'login' | 'system'>;

export function systemHandlers({ store, clock, tokens, sessions, feed, probes, configuration }: SystemRoutesDeps): SystemHandlers {
  const startedAt = clock.now();
  return {
    'system/health': async () => {
      const fault = await store.check();
      const parts: Record<string, PartHealth> = {
        database: fault ? { status: 'failing', reason: fault.message } : { status: 'ok' },
        feed: feedHealth({ fault: feed.fault, lag: store.log.head - feed.position }),
      };
      for (const [name, probe] of Object.entries(probes)) parts[name] = await probe();
      return { status: overallStatus(parts), version: RELAY_VERSION, protocol: PROTOCOL_VERSION, parts };
    },
    'system/version': () => ({ version: RELAY_VERSION, protocol: PROTOCOL_VERSION }),
    'system/stats': async (_input, { principal }) => {
      const { workspace } = principal;
      const agents = { total: 0, online: 0, idle: 0, busy: 0, offline: 0 };
      for (const { agent } of store.agents.index.in(workspace).agents()) {
        if (!agent || isBuiltIn(agent.id)) continue;
        agents.total += 1;
        agents[agent.status] += 1;
      }
      const cursor = store.log.head;
      const counts = await store.counts(workspace);
      const running = await sessions.counts(workspace);
      return {
        version: RELAY_VERSION,
        protocol: PROTOCOL_VERSION,
        generation: store.log.generation,
        cursor,
        oldest: store.log.floor + 1,
        uptimeMs: clock.now() - startedAt,
        agents,
        messages: { total: counts.messages, open: counts.openWork, undelivered: counts.undelivered },
        nodes: { total: running.nodes, online: running.onlineNodes },
        sessions: { running: running.runningSessions },
      };
    },
    'system/settings': (_input, { principal }) => {
      if (!isOwner(principal)) throw new RelayError('forbidden', 'The settings are for the owner');
      return configuration;
    },
    'system/me': (_input, { principal }) => principal,
    'login/create': async (_input, { principal }) => {
      if (!isOwner(principal)) throw new RelayError('forbidden', 'Only the owner makes login codes');
      return { ...(await tokens.issueLoginCode(principal.workspace)), browserHost: browserHostOf(store.log.generation) };
    },
  };
}
