import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Node, type Principal, principalName, RelayError, type RouteInput, type Session } from 'agent-relay-protocol';
import type { Change } from '../../domain/change.ts';
import { steererOf } from '../../domain/controllers.ts';
import type { BeginningFacts, Facts } from '../../domain/facts.ts';
import { type PlacementRequest, placeSession } from '../../domain/placement.ts';
import { type ResumableSession, sessionToResume } from '../../domain/resume.ts';
import { agentOf, assertMayActUpon, isOwner } from '../../domain/scopes.ts';
import { beginSession } from '../../domain/session-lifecycle.ts';
import { assertCoherent, assertMaySpawn, type Spawner, type SpawnTerms, spawnTerms } from '../../domain/spawn-rules.ts';
import { spawnerOf } from '../../domain/spawner.ts';
import { beginOnce, failedStart, repeated, type StartAttempt, startKeyOf, startKeyResource } from '../../domain/start-key.ts';
import { withTerms, withWake } from '../../domain/wake.ts';
import { assertNothingOf } from '../access/registered.ts';
import { digestOfFields } from '../contract/content-digest.ts';
import type { CallContext } from '../contract/relay-contract.ts';
import type { NodeRegistry } from '../nodes/node-registry.ts';
import type { Nodes } from '../nodes/nodes.ts';
import type { RelayCore } from '../relay-core.ts';
import { startOnNode } from './start-on-node.ts';
import type { Unstarted } from './unstarted.ts';

export interface StartsDeps extends Pick<RelayCore, 'store' | 'clock' | 'settings' | 'tokens' | 'inboxes'> {
  readonly registry: NodeRegistry;
  readonly nodes: Pick<Nodes, 'end' | 'lookAgain'>;
  readonly starting: Set<string>;
  readonly unstarted: Unstarted;
}

/** So many sessions back a conversation is looked for. */
const EARLIER_SESSIONS = 100;

type Input = RouteInput<'sessions/start'>;

/** What is known of a start before it begins. */
interface Prepared {
  readonly input: Input;
  readonly principal: Principal;
  readonly spawnedBy: string | null;
  readonly terms: SpawnTerms;
  readonly node: Node;
  readonly earlier: ResumableSession | null;
  /** The machine that starts it of its own accord. */
  readonly keeper: string | null;
  /** Mail does, and nobody steers. */
  readonly isWoken: boolean;
}

/** Starts agents on machines. */
export class Starts {
  readonly #deps: StartsDeps;
  readonly #startedAt: number;
  /** Those that are being waited for, by session. */
  readonly #inHand = new Map<string, Promise<Session>>();

  /** Which agent is being started with which conversation. */
  readonly #resuming = new Map<string, string>();

  constructor(deps: StartsDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
  }

  async start(input: Input, { principal, signal }: CallContext, { isWoken = false } = {}): Promise<Session> {
    const { workspace } = principal;
    const { store } = this.#deps;
    assertMayActUpon(principal, input.name);
    assertIsFree(principal, input.name, store.agents.index.in(workspace).isBound(input.name));
    const spawnedBy = this.#spawnerId(principal, input.spawnedBy);
    assertMayWake(input, principal, spawnedBy);
    assertCoherent(input, spawnedBy);
    if (input.resumeFrom !== undefined) assertMayActUpon(principal, input.resumeFrom);
    const attempt = this.#attemptOf(input, principal);
    // What a machine brings back of its own accord runs there.
    const keeper = principal.type === 'node' && spawnedBy === null ? principal.nodeId : null;
    if (keeper !== null && input.node !== undefined && input.node !== keeper)
      throw new RelayError('forbidden', 'A machine brings back what ran on it, and nothing elsewhere');
    const before = attempt && (await this.#startedUnder(workspace, attempt));
    if (before) return before;
    const spawner = spawnedBy === null ? null : await this.#spawner(principal, spawnedBy);
    const earlier = input.resume ? await this.#earlier(workspace, input, { spawnedBy, keeper }) : null;
    const terms = termsOf({ input, earlier }, spawner);
    await this.#untilSomeNode(workspace, signal);
    const node = await this.#place(workspace, {
      provider: input.provider,
      // A conversation is kept where it was had.
      nodeId: keeper ?? earlier?.nodeId ?? input.node ?? null,
      labels: input.nodeLabels,
      isKept: keeper !== null,
      spawner: spawner && { nodeId: spawner.session?.nodeId ?? null },
      approval: store.agents.index.in(workspace).find(input.name)?.approval ?? terms.approval,
      needs: { mode: terms.mode, ask: terms.ask, resume: earlier !== null, ...ofVendor(input), sandbox: terms.sandbox },
    });
    const prepared = { input, principal, spawnedBy, terms: heldTo(terms, spawner, node), node, earlier, keeper, isWoken };
    return this.#alone(prepared, () => this.#begin(prepared, attempt));
  }

  /** A conversation has one session at a time; a copy of it is another. @throws RelayError `busy` naming who has it. */
  async #alone({ input, principal, earlier }: Prepared, begin: () => Promise<Session>): Promise<Session> {
    if (earlier === null || input.fork) return begin();
    const { workspace } = principal;
    const unfinished = await this.#deps.store.sessions.unfinished();
    const having = unfinished.find((entry) => entry.workspace === workspace && hasConversation(entry.session, earlier));
    const key = [workspace, earlier.nodeId, earlier.provider, earlier.vendorSessionId].join('\n');
    const by = having?.session.agentId ?? this.#resuming.get(key) ?? null;
    if (by !== null && by !== input.name)
      throw new RelayError(
        'busy',
        `${by} has the conversation of ${earlier.agentId} now: release ${by} first, or go on with a copy (fork)`,
      );
    // Whoever has the name already is told so.
    if (by !== null) return begin();
    this.#resuming.set(key, input.name);
    try {
      return await begin();
    } finally {
      this.#resuming.delete(key);
    }
  }

  async #begin(prepared: Prepared, attempt: StartAttempt | null): Promise<Session> {
    const { input, principal, spawnedBy, terms, node, earlier, keeper, isWoken } = prepared;
    const { workspace } = principal;
    const { store, tokens, clock, settings, starting, registry, inboxes, unstarted } = this.#deps;
    const link = registry.find(workspace, node.nodeId)?.link;
    if (!link) throw new RelayError('node_unavailable', `The node ${node.name} is not connected`);
    const sessionId = randomUUID();
    const minted = tokens.mint('session', { workspace, agentId: input.name, nodeId: node.nodeId });
    const begin = {
      ...terms,
      request: input,
      keeper,
      ...{ sessionId, instanceId: randomUUID(), node, spawnedBy, givesTags: spawnedBy === null && isOwner(principal), now: clock.now() },
      tokensFor: (epoch: number) => [{ ...minted.record, epoch }],
    };
    starting.add(sessionId);
    try {
      const begun = await store.sessions.begin(workspace, input.name, (facts) =>
        beginOnce(facts, attempt, () => {
          this.#assertStillMay(facts, prepared);
          if (spawnedBy !== null) assertMaySpawn(facts, spawnedBy, settings.spawn);
          // Of whom mail starts, what a person said goes on.
          const { answer, change } = beginSession(facts, isWoken ? { ...begin, approval: facts.approval } : begin);
          const isNewcomer = unstarted.isNewcomer(workspace, input.name, facts);
          return { answer: { ...answer, isNewcomer }, change: change && withStarter(withWaking(facts, change, prepared), prepared) };
        }),
      );
      if (!begun.isNew) return this.#asItIs(begun.session);
      inboxes.endLease(workspace, input.name, new RelayError('stale_session', `A newer session of ${input.name} has taken over`));
      const resume = earlier ? { resume: earlier.vendorSessionId, ...(input.fork && { fork: true }) } : {};
      const asked = { token: minted.token, task: input.task ?? null, model: input.model ?? null };
      const { session, approval, isNewcomer } = begun;
      const params = { ...terms, ...resume, ...asked, approval, session };
      return await this.#waitFor(session, startOnNode(this.#deps, { workspace, link, params, isNewcomer })).catch(
        async (error: unknown) => {
          if (begun.keyId !== null)
            await store.records.change(startKeyResource, workspace, begun.keyId, (kept) => failedStart(kept, clock.now()));
          throw error;
        },
      );
    } finally {
      starting.delete(sessionId);
    }
  }

  /** Much may have changed while a machine was waited for. @throws RelayError as at the beginning, `busy` where a machine was found for other terms. */
  #assertStillMay(facts: BeginningFacts, { input, principal, spawnedBy, terms, node, earlier }: Prepared): void {
    this.#deps.tokens.lives.assertLiveIn(facts, principal);
    assertIsFree(principal, input.name, facts.isBound);
    if (spawnedBy === null) return;
    const spawner = spawnerOf(facts, principal, spawnedBy);
    if (isDeepStrictEqual(heldTo(termsOf({ input, earlier }, spawner), spawner, node), terms)) return;
    throw new RelayError('busy', `What ${spawnedBy} may pass on has changed just now: ask again`);
  }

  async #waitFor({ sessionId }: Session, started: Promise<Session>): Promise<Session> {
    this.#inHand.set(sessionId, started);
    try {
      return await started;
    } finally {
      this.#inHand.delete(sessionId);
    }
  }

  /** A start that came before under the same key: its own outcome where it is still being waited for. */
  #asItIs(session: Session): Promise<Session> {
    return this.#inHand.get(session.sessionId) ?? Promise.resolve(session);
  }

  #attemptOf({ idempotencyKey: key, ...content }: Input, principal: Principal): StartAttempt | null {
    if (key === undefined) return null;
    const tokenId = principal.type === 'token' ? this.#deps.tokens.lives.tokenIdOf(principal) : null;
    const by = tokenId === null ? principalName(principal) : `token-id:${tokenId}`;
    return { by, key: digestOfFields({ key }), digest: digestOfFields(content) };
  }

  /** What was started under this key before, also where nothing could be started now. */
  async #startedUnder(workspace: string, attempt: StartAttempt): Promise<Session | null> {
    const { records, sessions } = this.#deps.store;
    const { items } = await records.list(startKeyResource, { workspace, under: startKeyOf(attempt), limit: 1 });
    const [earlier = null] = items;
    const session = repeated(earlier, earlier && (await sessions.get(workspace, earlier.sessionId)), attempt);
    return session && this.#asItIs(session);
  }

  async #earlier(
    workspace: string,
    input: Input,
    { spawnedBy, keeper }: Pick<Prepared, 'spawnedBy' | 'keeper'>,
  ): Promise<ResumableSession> {
    const { items } = await this.#deps.store.sessions.list({ workspace, agentId: input.resumeFrom ?? input.name, limit: EARLIER_SESSIONS });
    if (input.resumeFrom !== undefined) assertNothingOf(this.#deps.store.agents.index.in(workspace), input.resumeFrom, items);
    const found = sessionToResume(input, spawnedBy, keeper === null ? items : items.filter(({ nodeId }) => nodeId === keeper));
    if (input.node === undefined || input.node === found.nodeId) return found;
    throw new RelayError(
      'node_unavailable',
      `The conversation of ${found.agentId} is on the machine ${found.nodeId}: it goes on there only`,
    );
  }

  /** Right after a start of the relay its machines are on their way: who asks then waits for the first of them a moment. */
  async #untilSomeNode(workspace: string, signal: AbortSignal): Promise<void> {
    const { registry, clock, settings } = this.#deps;
    const leftMs = this.#startedAt + settings.arrivalMs - clock.now();
    if (leftMs <= 0 || registry.online(workspace).length > 0) return;
    const waiting = new AbortController();
    const cancel = clock.schedule(() => waiting.abort(), leftMs);
    const both = AbortSignal.any([signal, waiting.signal]);
    while (!both.aborted && registry.online(workspace).length === 0) await registry.nextAttach(both);
    cancel();
  }

  /** An agent asks in its own name, a node in that of an agent it hosts, the owner in anybody's or in none, a program likewise where it may. */
  #spawnerId(principal: Principal, named: string | undefined): string | null {
    const self = agentOf(principal);
    if (self !== null) {
      if (named !== undefined && named !== self) throw new RelayError('forbidden', `This token speaks for ${self} only, not for ${named}`);
      return self;
    }
    if (isOwner(principal)) return named ?? null;
    if (principal.type === 'token' || principal.type === 'node') return named ?? null;
    throw new RelayError('forbidden', 'Only the owner and agents may start agents');
  }

  async #spawner(principal: Principal, agentId: string): Promise<Spawner> {
    const { agents, sessions } = this.#deps.store;
    const session = await sessions.unfinishedOf(principal.workspace, agentId);
    return spawnerOf({ agents: agents.index.in(principal.workspace), unfinishedOf: () => session }, principal, agentId);
  }

  /** A program that is missing may have been installed since its machine last looked. */
  async #place(workspace: string, request: PlacementRequest): Promise<Node> {
    try {
      return placeSession(await this.#placeable(workspace), request);
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'provider_unavailable') throw error;
      await this.#deps.nodes.lookAgain({ workspace, provider: request.provider });
      return placeSession(await this.#placeable(workspace), request);
    }
  }

  async #placeable(workspace: string) {
    const { store, registry } = this.#deps;
    const unfinished = await store.sessions.unfinished();
    const online = registry.online(workspace);
    const away = (await store.nodes.list(workspace)).filter(({ nodeId }) => !online.some((node) => node.nodeId === nodeId));
    return [...online, ...away.map((node) => registry.asSeen(workspace, node))].map((node) => ({
      node,
      runningSessions: unfinished.filter((entry) => entry.workspace === workspace && entry.session.nodeId === node.nodeId).length,
    }));
  }
}

const termsOf = ({ input, earlier }: Pick<Prepared, 'input' | 'earlier'>, spawner: Spawner | null): SpawnTerms =>
  spawnTerms({ ...input, cwd: input.cwd ?? earlier?.cwd ?? undefined }, spawner);

/** The spawner's folder says nothing on another machine; which others it may name there, that machine's owner decides. */
function heldTo(terms: SpawnTerms, spawner: Spawner | null, node: Node): SpawnTerms {
  const isElsewhere = spawner?.session != null && spawner.session.nodeId !== node.nodeId;
  return isElsewhere ? { ...terms, within: null } : terms;
}

/** Whoever holds an agent's own token is that agent. @throws RelayError `name_taken`. */
function assertIsFree(principal: Principal, name: string, isBound: boolean): void {
  if (isBound && !isOwner(principal)) throw new RelayError('name_taken', `${name} is whoever holds its token: choose another name`);
}

const hasConversation = (session: Session, { nodeId, provider, vendorSessionId }: ResumableSession): boolean =>
  session.vendorSessionId === vendorSessionId && session.provider === provider && session.nodeId === nodeId;

/** What only some vendors can. */
const ofVendor = ({ fork, target }: Input) => ({ fork, background: target === 'background' });

/** @throws RelayError `forbidden` for agents and machines, `validation_failed` for a time without a word. */
function assertMayWake({ wake, idleMs }: Input, principal: Principal, spawnedBy: string | null): void {
  if (wake === undefined && idleMs !== undefined) {
    const message = 'goes with wake: resume or fresh';
    throw new RelayError('validation_failed', `idleMs: ${message}`, { issues: [{ path: 'idleMs', message }] });
  }
  if (wake !== undefined && (spawnedBy !== null || principal.type === 'node'))
    throw new RelayError('forbidden', 'Whether mail wakes an agent is for people and their programs to say');
}

const DEFAULT_IDLE_MS = 600_000;

function withStarter(change: Change, { input: { name }, principal, spawnedBy, isWoken }: Prepared): Change {
  const by = isWoken ? null : steererOf(principal, spawnedBy);
  return by === null ? change : { ...change, steers: [{ agentId: name, by }] };
}

/** A start by a person or a program also says on what terms mail wakes the agent, and whether it does where that was said. */
function withWaking(facts: Facts, change: Change, { input, spawnedBy, terms, node, earlier, keeper }: Prepared): Change {
  if (spawnedBy !== null || keeper !== null) return change;
  const { name: agentId, provider, wake, idleMs = DEFAULT_IDLE_MS, model = null } = input;
  const { mode, ask, sandbox = null } = terms;
  const said = { agentId, provider, nodeId: node.nodeId, cwd: terms.cwd ?? earlier?.cwd ?? null, mode, ask, model, sandbox };
  return wake === undefined ? withTerms(facts, change, said) : withWake(facts, change, { ...said, wake, idleMs });
}
