import { RelayError } from 'agent-relay-protocol';
import type { SessionsPart } from './relay-core.ts';

const noSessions = (): never => {
  throw new RelayError('node_unavailable', 'This relay runs no agents');
};

/** A relay that only carries messages. */
export const withoutSessions: SessionsPart = {
  handlers: {
    'sessions/start': noSessions,
    'sessions/list': () => ({ data: [], cursor: 0 }),
    'sessions/get': ({ id }) => {
      throw new RelayError('not_found', `There is no session ${id}`);
    },
    'sessions/invite': noSessions,
    'nodes/list': () => ({ data: [], cursor: 0 }),
    'nodes/pairings': () => ({ data: [], cursor: 0 }),
    'nodes/pair': noSessions,
    'nodes/rename': noSessions,
    'nodes/remove': noSessions,
    'approvals/list': () => ({ data: [], cursor: 0 }),
    'approvals/count': () => ({ counts: {}, cursor: 0 }),
    'approvals/resolve': noSessions,
    'rules/list': () => ({ data: [], cursor: 0 }),
    'rules/create': noSessions,
    'rules/revoke': noSessions,
    'approvals/ask': noSessions,
    'approvals/withdraw': noSessions,
    'agents/interrupt': noSessions,
    'agents/release': noSessions,
    'agents/activity': () => ({ data: [], cursor: 0 }),
    'hooks/describe': () => ({ hooks: [], sources: [] }),
    'hooks/test': noSessions,
    'reservations/list': () => ({ data: [], cursor: 0 }),
    'reservations/check': () => ({ holder: null, reason: null }),
    'reservations/create': noSessions,
    'reservations/renew': noSessions,
    'reservations/release': noSessions,
  },
  nodeHandlers: {
    'nodes/attach': noSessions,
    'nodes/heartbeat': noSessions,
    'sessions/report': noSessions,
    'activity/append': noSessions,
  },
  nodeLive: () => {},
  nodeDetached: () => {},
  dialIns: { open: noSessions, end: async () => {} },
  pairings: { request: noSessions, outcome: noSessions, forget: () => {} },
  openActivity: noSessions,
  counts: async () => ({ runningSessions: 0, nodes: 0, onlineNodes: 0 }),
  start: () => {},
  sweep: async () => {},
  settled: async () => {},
  endRemoved: async () => {},
  close: async () => {},
};
