import { type Agent, listAll, type Node, type RelayClient, RelayError, type Session } from 'agent-relay-client';
import { MAX_PAGE_SIZE, type RouteRequest } from 'agent-relay-protocol';
import type { ListView, View } from '../live/view.ts';
import { upsert } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

const SESSIONS_SHOWN = 50;

/** The latest session of one agent; null for one that no machine has run. */
export const lastSessionView = (agentId: string): View<Session | null> => ({
  name: 'sessions',
  id: agentId,
  route: 'sessions/list',
  read: (relay) => readLastSession(relay, agentId),
  apply: (last, event) => {
    if (event.type === 'controllers.updated')
      return last?.sessionId === event.sessionId ? { ...last, controllers: event.controllers } : last;
    if (!('session' in event) || event.session.agentId !== agentId || event.session.epoch < (last?.epoch ?? 0)) return last;
    return last?.sessionId === event.session.sessionId ? asLastSteered(last, event.session) : event.session;
  },
});

/** What is told of a session says nothing of who steers it, which has events of its own. */
const asLastSteered = ({ controllers }: Session, session: Session): Session =>
  controllers && isUnfinished(session) ? { ...session, controllers } : session;

/** The sessions of one agent, newest first. */
export const sessionsOfView = (agentId: string): ListView<Session> => ({
  name: 'sessions',
  id: `of ${agentId}`,
  route: 'sessions/list',
  read: async (relay) => {
    try {
      return await relay.sessions.list({ agent: agentId, limit: SESSIONS_SHOWN });
    } catch (error) {
      if (error instanceof RelayError && error.code === 'not_found') return { data: [], cursor: 0 };
      throw error;
    }
  },
  apply: (sessions, event) => {
    if (!('session' in event) || event.session.agentId !== agentId) return sessions;
    const others = sessions.filter(({ sessionId }) => sessionId !== event.session.sessionId);
    return [...others, event.session].sort((one, other) => other.epoch - one.epoch).slice(0, SESSIONS_SHOWN);
  },
});

/** Every session that runs now, of all machines. */
export const runningView: ListView<Session> = {
  name: 'sessions',
  route: 'sessions/list',
  read: (relay) => listUpTo(MAX_PAGE_SIZE, relay.sessions.list, { status: 'running' as const }),
  apply: (sessions, event) => {
    if (!('session' in event)) return sessions;
    const others = sessions.filter(({ sessionId }) => sessionId !== event.session.sessionId);
    return event.session.status === 'running' ? [event.session, ...others] : others;
  },
};

async function readLastSession(relay: RelayClient, agent: string) {
  try {
    const { data, cursor } = await relay.sessions.list({ agent, limit: 1 });
    return { data: data[0] ?? null, cursor };
  } catch (error) {
    if (error instanceof RelayError && error.code === 'not_found') return { data: null, cursor: 0 };
    throw error;
  }
}

export const isUnfinished = ({ status }: Session): boolean => status === 'running' || status === 'starting';

/** Whose conversation an agent goes on with when it is started again with a provider: the newest that its vendor keeps. `sessions` newest first. */
export const conversationIn = (sessions: readonly Session[], provider: string): Session | null =>
  sessions.find((session) => session.provider === provider && session.vendorSessionId !== null) ?? null;

/** What starts an agent again as it was, where it was, afresh or where it left off: its mail waits for it. */
export const startAgain = (
  { agentId, provider, mode, ask, cwd, model, nodeId }: Session,
  { approval }: Pick<Agent, 'approval'>,
  { resume }: { readonly resume: boolean },
): RouteRequest<'sessions/start'> => ({
  name: agentId,
  provider,
  mode,
  ask,
  approval,
  node: nodeId,
  ...(cwd === null ? {} : { cwd }),
  ...(model === null ? {} : { model }),
  ...(resume ? { resume } : {}),
});

export const nodesView: ListView<Node> = {
  name: 'nodes',
  route: 'nodes/list',
  read: (relay) => listAll(relay.nodes.list, {}),
  apply: (nodes, event) => {
    if (!('node' in event)) return nodes;
    const others = nodes.filter(({ nodeId }) => nodeId !== event.node.nodeId);
    return event.type === 'node.removed' ? others : upsert(nodes, event.node, ({ nodeId }) => nodeId);
  },
};
