import type { AgentStatus } from 'agent-relay-protocol';
import type { Histogram } from '../../domain/histogram.ts';
import type { EventFeed } from '../../events/event-feed.ts';
import type { StoreFigures } from '../../store/store.ts';

/** What the relay can be measured by: totals since the start, and what is so now. Gathered when somebody asks. */
export interface RelayFigures {
  readonly store: StoreFigures;
  readonly claimWaitSeconds: Histogram;
  readonly head: number;
  readonly openWork: number;
  readonly undelivered: number;
  readonly agents: Readonly<Record<AgentStatus, number>>;
  readonly sessions: number;
  readonly nodes: { readonly total: number; readonly online: number };
  readonly readers: ReturnType<EventFeed['readers']>;
}
