import type { Session } from 'agent-relay-protocol';
import { beginSession, endSession } from '../../src/domain/session-lifecycle.ts';
import type { World } from './world.ts';

interface Host {
  readonly nodeId: string;
  readonly sessionId?: string;
  readonly spawnedBy?: string | null;
}

/** A session as the relay writes it when a node takes it, without the node: the agent's address, and the token that the node is given for it. */
export async function host(world: World, id: string, { nodeId, sessionId = `s-${id}`, spawnedBy = null }: Host) {
  const { store, tokens } = world.relay.core;
  let token = '';
  const { session } = await store.sessions.begin('default', id, (facts) =>
    beginSession(facts, {
      request: { name: id, provider: 'parrot' },
      sessionId,
      instanceId: sessionId,
      node: { nodeId, name: nodeId },
      spawnedBy,
      mode: 'agentic',
      approval: 'guarded',
      ask: false,
      now: world.clock.now(),
      tokensFor: (epoch) => {
        const minted = tokens.mint('session', { workspace: 'default', agentId: id, epoch });
        token = minted.token;
        return [minted.record];
      },
    }),
  );
  return { session, token };
}

export const end = (world: World, { sessionId }: Session) =>
  world.relay.core.store.sessions.change('default', sessionId, (session, facts) =>
    endSession(session, facts, { status: 'ended', reason: 'released' }, world.clock.now()),
  );
