import {
  type Approval,
  type ApprovalAnswer,
  DEFAULT_PAGE_SIZE,
  type PendingApproval,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type RouteOutput,
} from 'agent-relay-protocol';
import { watchedIn } from '../../domain/act-as.ts';
import { answererOf, assertMayAnswer, assertPending, decideAnswer, maySeeApprovals, resolveApproval } from '../../domain/approval.ts';
import { changeTo } from '../../domain/approval-changes.ts';
import { agentOf, assertMayActUpon } from '../../domain/scopes.ts';
import { assertNothingOf, registered } from '../access/registered.ts';
import { listed } from '../contract/listed.ts';
import type { CallContext } from '../contract/relay-contract.ts';
import type { NodeRegistry } from '../nodes/node-registry.ts';
import type { RelayCore } from '../relay-core.ts';
import { OwnQuestions } from './own-questions.ts';

export interface ApprovalsDeps extends Pick<RelayCore, 'store' | 'clock' | 'settings'> {
  readonly registry: NodeRegistry;
}

interface Which {
  readonly workspace: string;
  readonly id: string;
  readonly approvalId: string;
}

interface RuleAnswer {
  readonly by: string;
  readonly isHeld: () => Promise<boolean>;
}

const PRUNE_BATCH = 1_000;

/**
 * What agents ask of people. The questions come with the activity of their sessions, and so do the answers that nobody gave here; a person's
 * answer is written when the machine has said that the agent got it.
 */
export class Approvals {
  readonly #deps: ApprovalsDeps;
  readonly #questions: OwnQuestions;
  /** Answers on their way, by approval: a second one waits to hear what became of the first. */
  readonly #answering = new Map<string, Promise<unknown>>();

  constructor(deps: ApprovalsDeps) {
    this.#deps = deps;
    this.#questions = new OwnQuestions(deps);
  }

  async list(
    { agent, status, before, limit = DEFAULT_PAGE_SIZE }: RouteInput<'approvals/list'>,
    { principal }: CallContext,
  ): Promise<RouteOutput<'approvals/list'>> {
    const { store } = this.#deps;
    const { agents, ...seen } = this.#seenBy(principal, agent);
    const page = await store.approvals.list({ ...seen, caller: principalName(principal), status, before, limit });
    if (agent !== undefined && before === undefined) assertNothingOf(agents, agent, page.items);
    return listed(page);
  }

  async count({ agent, status }: RouteInput<'approvals/count'>, { principal }: CallContext): Promise<RouteOutput<'approvals/count'>> {
    const { agents, ...seen } = this.#seenBy(principal, agent);
    const counted = await this.#deps.store.approvals.count({ ...seen, status });
    if (agent !== undefined)
      assertNothingOf(
        agents,
        agent,
        Object.values(counted.counts).filter((count) => count > 0),
      );
    return counted;
  }

  /** Whose questions somebody may see, of those that are asked for. @throws RelayError `forbidden`, `not_found`. */
  #seenBy(principal: Principal, agent: string | undefined) {
    const { workspace } = principal;
    const agentId = agent ?? (maySeeApprovals(principal, null) ? null : agentOf(principal));
    const agents = this.#deps.store.agents.index.in(workspace);
    if (!maySeeApprovals(principal, agentId === null ? null : watchedIn(agents, agentId))) {
      if (agent !== undefined) registered(agents, agent);
      const reason =
        'What agents ask is for people and their programs with approvals:read, the agent itself, the one that started it and its machine';
      throw new RelayError('forbidden', reason);
    }
    return { workspace, agentId: agentId ?? undefined, agents };
  }

  /** `onAsked` is heard before anybody waits. */
  ask(input: RouteInput<'approvals/ask'>, context: CallContext, onAsked: (asked: Approval) => Promise<void>): Promise<Approval> {
    return this.#questions.ask(input, context, onAsked);
  }

  withdraw(input: RouteInput<'approvals/withdraw'>, context: CallContext): Promise<Approval> {
    return this.#questions.withdraw(input, context);
  }

  async resolve(input: RouteInput<'approvals/resolve'>, { principal }: CallContext): Promise<Approval> {
    assertMayAnswer(principal);
    assertMayActUpon(principal, input.id);
    const { id, approvalId, person, ...given } = input;
    const by = answererOf(principal, person);
    return this.#inTurn({ workspace: principal.workspace, id, approvalId }, (which) => this.#answer(which, given, by));
  }

  /** Whether an answer would reach who asked, now. */
  async reaches(workspace: string, { agentId, sessionId }: Pick<Approval, 'agentId' | 'sessionId'>): Promise<boolean> {
    const { store, registry } = this.#deps;
    const session = await store.sessions.get(workspace, sessionId);
    return session?.agentId !== agentId || registry.find(workspace, session.nodeId) !== null;
  }

  /** No, because somebody else has reserved what it would edit. @throws RelayError `already_resolved`, `node_unavailable`. */
  denyReserved(
    workspace: string,
    { agentId: id, approvalId }: PendingApproval,
    { by, message }: { readonly by: string; readonly message: string },
  ) {
    return this.#inTurn({ workspace, id, approvalId }, (which) => this.#answer(which, { outcome: 'deny', message }, by));
  }

  /** A rule's yes; null when its turn came and it held no longer. @throws RelayError `already_resolved`, `node_unavailable`. */
  allowByRule(workspace: string, { agentId: id, approvalId }: PendingApproval, { by, isHeld }: RuleAnswer): Promise<Approval | null> {
    return this.#inTurn({ workspace, id, approvalId }, async (which) =>
      (await isHeld()) ? this.#answer(which, { outcome: 'allow' }, by) : null,
    );
  }

  async #inTurn<Answer>(which: Which, answer: (which: Which) => Promise<Answer>): Promise<Answer> {
    const key = `${which.workspace}\n${which.id}\n${which.approvalId}`;
    const before = this.#answering.get(key) ?? Promise.resolve();
    const answering = before.then(() => answer(which));
    const settled = answering.catch(() => {});
    this.#answering.set(key, settled);
    try {
      return await answering;
    } finally {
      if (this.#answering.get(key) === settled) this.#answering.delete(key);
    }
  }

  /** Forgets what is older than the retention, a bounded piece at a time. */
  async prune(): Promise<void> {
    const { clock, settings, store } = this.#deps;
    const keptMs = settings.approvalRetentionMs ?? settings.retentionMs;
    if (keptMs === null) return;
    while ((await store.approvals.prune(clock.now() - keptMs, PRUNE_BATCH)) === PRUNE_BATCH);
  }

  async #answer({ workspace, id, approvalId }: Which, given: ApprovalAnswer, by: string): Promise<Approval> {
    const { store, registry, clock } = this.#deps;
    const pending = await this.#pending(workspace, id, approvalId);
    const { sessionId } = pending;
    const { told, end } = decideAnswer(pending, given, by);
    const session = await store.sessions.get(workspace, sessionId);
    if (session?.agentId !== id) return this.#questions.resolve(workspace, pending, end);
    const link = registry.find(workspace, session.nodeId)?.link;
    if (!link) throw new RelayError('node_unavailable', `The machine that runs ${id} is not connected: the question stays open`);
    const answer = { sessionId, approvalId, ...told, by };
    const { resolved } = await link.command('session/resolve-approval', answer).catch(asUnavailable);
    if (!resolved) {
      await this.#pending(workspace, id, approvalId);
      throw new RelayError('already_resolved', `${id} no longer waits for an answer to ${approvalId}`);
    }
    const now = clock.now();
    const resolvedApproval = await store.approvals.change(workspace, { sessionId, approvalId }, (current) => {
      // Its activity may have been here first.
      if (current.status !== 'pending') return { answer: current, change: null };
      const next = resolveApproval(current, end, now);
      return { answer: next, change: changeTo(next, now) };
    });
    return resolvedApproval ?? resolveApproval(pending, end, now);
  }

  async #pending(workspace: string, agentId: string, approvalId: string): Promise<PendingApproval> {
    const approval = await this.#deps.store.approvals.find(workspace, agentId, approvalId);
    if (approval === null) {
      // Who asks nothing may be nobody at all.
      registered(this.#deps.store.agents.index.in(workspace), agentId);
      throw new RelayError('not_found', `${agentId} has asked nothing of the id ${approvalId}`);
    }
    assertPending(approval);
    return approval;
  }
}

/** Whether the agent got the answer is not known then; what it did will come with its activity. */
function asUnavailable(error: unknown): never {
  const isLost = error instanceof RelayError && (error.code === 'connection_closed' || error.code === 'timeout');
  if (!isLost) throw error;
  throw new RelayError('node_unavailable', 'The machine was lost before it said that the agent has the answer', { cause: error });
}
