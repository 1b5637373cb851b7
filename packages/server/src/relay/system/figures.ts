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

/** Of all workspaces. */
export async function gatherFigures({ store, feed, sessions, claimWaitSeconds }: FiguresDeps): Promise<RelayFigures> {
  const agents = { online: 0, idle: 0, busy: 0, offline: 0 };
  const mail = { openWork: 0, undelivered: 0 };
  const machines = { sessions: 0, nodes: { total: 0, online: 0 } };
  for (const workspace of [...store.agents.index.workspaces()]) {
    for (const { agent } of store.agents.index.in(workspace).agents()) if (agent && !isBuiltIn(agent.id)) agents[agent.status] += 1;
    const { openWork, undelivered } = await store.counts(workspace);
    mail.openWork += openWork;
    mail.undelivered += undelivered;
    const { runningSessions, nodes, onlineNodes } = await sessions.counts(workspace);
    machines.sessions += runningSessions;
    machines.nodes.total += nodes;
    machines.nodes.online += onlineNodes;
  }
  return {
    store: await store.figures(),
    claimWaitSeconds,
    head: store.log.head,
    ...mail,
    ...machines,
    agents,
    readers: feed.readers(),
  };
}
