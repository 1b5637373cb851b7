import { DEFAULT_WORKSPACE } from 'agent-relay-protocol';
import { Histogram } from '../../domain/histogram.ts';
import { isBuiltIn } from '../../domain/membership.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { Store } from '../../store/store.ts';
import type { RelayFigures } from '../contract/relay-figures.ts';
import type { SessionsPart } from '../relay-core.ts';

export interface FiguresDeps {
  readonly store: Pick<Store, 'agents' | 'log' | 'counts' | 'figures'>;
  readonly feed: Pick<EventFeed, 'readers'>;
  readonly sessions: Pick<SessionsPart, 'counts'>;
  readonly claimWaitSeconds: Histogram;
}

const WAIT_SECONDS = [0.01, 0.1, 1, 10, 60, 600, 3600, 86_400];
const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10, 60];

export const claimWaits = (): Histogram => new Histogram(WAIT_SECONDS);
export const requestLatencies = (): Histogram => new Histogram(LATENCY_SECONDS);

export async function gatherFigures({ store, feed, sessions, claimWaitSeconds }: FiguresDeps): Promise<RelayFigures> {
  const agents = { online: 0, idle: 0, busy: 0, offline: 0 };
  for (const { agent } of store.agents.index.in(DEFAULT_WORKSPACE).agents()) if (agent && !isBuiltIn(agent.id)) agents[agent.status] += 1;
  const { openWork, undelivered } = await store.counts(DEFAULT_WORKSPACE);
  const { runningSessions, nodes, onlineNodes } = await sessions.counts(DEFAULT_WORKSPACE);
  return {
    store: await store.figures(),
    claimWaitSeconds,
    head: store.log.head,
    openWork,
    undelivered,
    agents,
    sessions: runningSessions,
    nodes: { total: nodes, online: onlineNodes },
    readers: feed.readers(),
  };
}
