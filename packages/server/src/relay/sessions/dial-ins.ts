import { randomUUID } from 'node:crypto';
import {
  CLAUDE_PATH,
  type DialCode,
  type Dialled,
  isOwnersNodeId,
  type Node,
  type Principal,
  RelayError,
  type RouteInput,
  type Session,
  type SpawnMode,
} from 'agent-relay-protocol';
import type { TokenRecord } from '../../domain/change.ts';
import type { Directory } from '../../domain/directory.ts';
import type { BeginningFacts } from '../../domain/facts.ts';
import { isBuiltIn } from '../../domain/membership.ts';
import { isOwner } from '../../domain/scopes.ts';
import { beginSession } from '../../domain/session-lifecycle.ts';
import { assertLives } from '../../domain/token-life.ts';
import type { CallContext, DialInRequest } from '../contract/relay-contract.ts';
import type { NodeRegistry } from '../nodes/node-registry.ts';
import type { RelayCore } from '../relay-core.ts';
import { type StartOnNodeDeps, startOnNode } from './start-on-node.ts';

export interface DialInsDeps extends StartOnNodeDeps, Pick<RelayCore, 'tokens' | 'inboxes' | 'settings'> {
  readonly registry: NodeRegistry;
  readonly starting: Set<string>;
}

/** Who a program that dialled in may be, and by what: a code, which counts for one session, or whoever's token it has. */
type Admitted = { readonly workspace: string } & (
  | { readonly code: Pick<TokenRecord, 'hash' | 'epoch'>; readonly principal: null }
  | { readonly code: null; readonly principal: Principal }
);

/**
 * Programs that dial in to be an agent. The first dial begins a session on a machine that speaks their language; each later one is a further link of
 * that session, for as long as it lasts: so one that drops, or a relay that starts anew, costs nothing.
 */
export class DialIns {
  readonly #deps: DialInsDeps;
  /** Agents for whom a dial is being answered: two that come at once are not both first. */
  readonly #inHand = new Set<string>();

  constructor(deps: DialInsDeps) {
    this.#deps = deps;
  }

  /** A code for one session of an agent. */
  async issueCode({ agent }: RouteInput<'sessions/invite'>, { principal }: CallContext): Promise<DialCode> {
    if (isBuiltIn(agent)) throw new RelayError('forbidden', `${agent} is an address of the relay's own`);
    const { token, expiresAt } = await this.#deps.tokens.issueDialCode(principal.workspace, agent);
    return { code: token, path: `${CLAUDE_PATH}/${encodeURIComponent(agent)}/${token}`, expiresAt };
  }

  /**
   * Has a machine fetch the link that a program opened.
   * @throws RelayError `unauthorized`, `forbidden`, `not_found`, `name_taken` for one that may not; `node_unavailable`, `busy` for one that is to come again.
   */
  async open(request: DialInRequest): Promise<Session> {
    const { agentId } = request;
    const admitted = await this.#admit(request);
    const key = `${admitted.workspace}\n${agentId}`;
    if (this.#inHand.has(key)) throw new RelayError('busy', `${agentId} is being greeted already`);
    this.#inHand.add(key);
    try {
      const unfinished = await this.#deps.store.sessions.unfinishedOf(admitted.workspace, agentId);
      return unfinished ? await this.#again(unfinished, admitted, request) : await this.#begin(admitted, request);
    } finally {
      this.#inHand.delete(key);
    }
  }

  /** Ends a session whose program nobody lets in any more, or whose agent was removed, on its machine and here. Never rejects. */
  async end({ sessionId, nodeId }: Session, workspace: string, reason: string): Promise<void> {
    const { registry, nodes } = this.#deps;
    const link = registry.find(workspace, nodeId)?.link;
    await link?.command('session/close', { sessionId, reason }).catch(() => {});
    await nodes.end(workspace, sessionId, 'ended', reason).catch(() => {});
  }

  async #admit({ agentId, principal, code }: DialInRequest): Promise<Admitted> {
    if (principal) {
      this.#assertSpeaksFor(this.#deps.store.agents.index.in(principal.workspace), principal, agentId);
      return { workspace: principal.workspace, code: null, principal };
    }
    const found = code === null ? null : await this.#deps.tokens.findDialCode(code);
    if (found === null)
      throw new RelayError('unauthorized', 'A token, or a code in the path, says who dials: this is none, or it has been used');
    if (found.agentId !== agentId) throw new RelayError('forbidden', `This code is not for ${agentId}`);
    return { workspace: found.workspace, code: found, principal: null };
  }

  /** The owner, for an agent that is known; and whoever holds the token that a person made for that very agent. */
  #assertSpeaksFor(agents: Directory, principal: Principal, agentId: string): void {
    if (isOwner(principal)) {
      if (agents.find(agentId)?.agent) return;
      throw new RelayError('not_found', `There is no agent ${agentId}`);
    }
    if (principal.type === 'token' && principal.agentId === agentId && principal.scopes.includes('sessions:write')) return;
    throw new RelayError('forbidden', `This token does not speak for ${agentId}`);
  }

  /** Lets it begin as it was let in, if it still may. Answers its code, which the session takes for itself. */
  #admitAgain(facts: BeginningFacts, { code, principal }: Admitted, agentId: string): TokenRecord | null {
    const { tokens, clock } = this.#deps;
    if (code !== null) {
      const found = facts.token(code.hash);
      if (found?.epoch !== null) throw new RelayError('unauthorized', 'This code has been used');
      assertLives(found, clock.now());
      return found;
    }
    tokens.lives.assertLiveIn(facts, principal);
    this.#assertSpeaksFor(facts.agents, principal, agentId);
    return null;
  }

  async #again(session: Session, { workspace, code }: Admitted, { provider, agentId, dialled }: DialInRequest): Promise<Session> {
    const isCodeOfAnother = code !== null && code.epoch !== session.epoch;
    if (session.provider !== provider || isCodeOfAnother) throw new RelayError('name_taken', `${agentId} is running already`);
    const attached = this.#deps.registry.find(workspace, session.nodeId);
    if (attached === null || session.status === 'starting')
      throw new RelayError('node_unavailable', `The machine that runs ${agentId} is not back yet`);
    const { sessionId } = session;
    const seen = { ...asSeenFrom(attached.node, dialled), ...(code !== null && { byCode: true }) };
    try {
      await attached.link.command('session/dialled', { sessionId, dialled: seen });
    } catch (error) {
      // A machine that came back after a crash has not said yet that the session is over.
      if (error instanceof RelayError && error.code === 'not_found')
        throw new RelayError('node_unavailable', `The last session of ${agentId} is just ending`, { cause: error });
      throw error;
    }
    return session;
  }

  async #begin(admitted: Admitted, request: DialInRequest): Promise<Session> {
    const { workspace, code } = admitted;
    const { provider, agentId, mode, ask, cwd } = request;
    const { store, tokens, clock, inboxes, registry, starting, unstarted } = this.#deps;
    if (code !== null && code.epoch !== null) throw new RelayError('gone', 'The session that this code was for has ended');
    const node = this.#nodeFor(workspace, provider);
    const link = registry.find(workspace, node.nodeId)?.link;
    if (!link) throw new RelayError('node_unavailable', `The node ${node.name} is not connected`);
    const [sessionId, instanceId] = [randomUUID(), randomUUID()];
    const minted = tokens.mint('session', { workspace, agentId, nodeId: node.nodeId });
    const terms = { mode: mode ?? defaultMode, ask: ask ?? true, cwd: cwd ?? null };
    starting.add(sessionId);
    try {
      const { session, approval, isNewcomer } = await store.sessions.begin(workspace, agentId, (facts) => {
        const taken = this.#admitAgain(facts, admitted, agentId);
        const { answer, change } = beginSession(facts, {
          ...terms,
          approval: facts.approval,
          request: { name: agentId, provider, ...(cwd === undefined ? {} : { cwd }) },
          sessionId,
          instanceId,
          node,
          spawnedBy: null,
          now: clock.now(),
          isItself: true,
          dialledIn: true,
          tokensFor: (epoch) => [{ ...minted.record, epoch }, ...(taken ? [{ ...taken, epoch, expiresAt: null }] : [])],
        });
        return {
          answer: { ...answer, isNewcomer: unstarted.isNewcomer(workspace, agentId, facts) },
          change: change && { ...change, endedTokens: taken ? [taken] : [] },
        };
      });
      inboxes.endLease(workspace, agentId, new RelayError('stale_session', `A newer session of ${agentId} has taken over`));
      const params = { ...terms, approval, session, token: minted.token, task: null, model: null, within: null };
      const dialled = asSeenFrom(node, request.dialled);
      return await startOnNode(this.#deps, { workspace, link, params: { ...params, dialled }, isNewcomer });
    } finally {
      starting.delete(sessionId);
    }
  }

  /** The relay's own machine before others: no link costs less. */
  #nodeFor(workspace: string, provider: string): Node {
    const able = this.#deps.registry
      .online(workspace)
      .filter(({ providers }) => providers.some(({ id, dialIn }) => id === provider && dialIn === true));
    const node = able.find(isRelaysOwn) ?? able[0];
    if (node) return node;
    throw new RelayError('node_unavailable', `No machine is connected that takes ${provider} when it dials in: start relay-connect on one`);
  }
}

/** What a person who says nothing gives an agent. */
const defaultMode: SpawnMode = 'agentic';

const isRelaysOwn = ({ nodeId }: Node): boolean => isOwnersNodeId(nodeId);

/** A program beside the relay is not beside every machine. */
const asSeenFrom = (node: Node, { nearby, relayUrl, ...dialled }: DialInRequest['dialled']): Dialled => ({
  ...dialled,
  relayUrl: nearby && isRelaysOwn(node) ? null : relayUrl,
});
