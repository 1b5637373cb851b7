import { listAll, type Node, type Session } from 'agent-relay-client';
import type { ListView } from '../live/view.ts';
import { upsert } from './collect.ts';

export const sessionsView: ListView<Session> = {
  name: 'sessions',
  route: 'sessions/list',
  read: (relay) => relay.sessions.list(),
  apply: (sessions, event) => ('session' in event ? upsert(sessions, event.session, ({ sessionId }) => sessionId) : sessions),
};

export const nodesView: ListView<Node> = {
  name: 'nodes',
  route: 'nodes/list',
  read: (relay) => listAll(relay.nodes.list, {}),
  apply: (nodes, event) => ('node' in event ? upsert(nodes, event.node, ({ nodeId }) => nodeId) : nodes),
};
