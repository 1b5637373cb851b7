import { type Approval, type PendingApproval, RelayError, type RouteInput } from 'agent-relay-protocol';
import { Bell } from 'agent-relay-wire';
import type { Clock } from '../../clock.ts';
import { actAs } from '../../domain/act-as.ts';
import { type AnswerOutcome, assertPending, resolveApproval } from '../../domain/approval.ts';
import { askQuestion, assertAsksTheSame, changeTo } from '../../domain/approval-changes.ts';
import type { Store } from '../../store/store.ts';
import { registered } from '../access/registered.ts';
import type { CallContext } from '../contract/relay-contract.ts';

export interface OwnQuestionsDeps {
  readonly store: Pick<Store, 'approvals' | 'agents' | 'sessions'>;
  readonly clock: Clock;
}

/** What agents ask that no machine runs: they ask here and wait here, so the answer is theirs when it is written. */
export class OwnQuestions {
  readonly #deps: OwnQuestionsDeps;
  /** Rings when one of these questions was answered, or withdrawn by a call. */
  readonly #answered = new Bell();

  constructor(deps: OwnQuestionsDeps) {
    this.#deps = deps;
  }

  async ask(
    input: RouteInput<'approvals/ask'>,
    { principal, signal }: CallContext,
    onAsked: (asked: Approval) => Promise<void>,
  ): Promise<Approval> {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const { id, instanceId, epoch, waitMs = 0, ...asked } = input;
    const now = clock.now();
    let seen = this.#answered.rings;
    const session = await store.sessions.unfinishedOf(workspace, id);
    const inBackground = session?.target === 'background' ? session.sessionId : undefined;
    const key = { agentId: id, approvalId: asked.approvalId };
    const { question, isNew } = await store.approvals.ask(workspace, key, ({ agents, found, pending }) => {
      actAs(agents, principal, id, guardOf({ instanceId, epoch }));
      const agent = registered(agents, id);
      if (found !== null) {
        assertAsksTheSame(asked, found);
        return { answer: { question: found, isNew: false }, change: null };
      }
      // What runs in the background asks by itself: its machine does not see what it does.
      const asking = agent.sessionId === inBackground ? { ...agent, sessionId: null } : agent;
      const made = askQuestion(asked, asking, pending, now);
      return { answer: { question: made, isNew: true }, change: changeTo(made, now) };
    });
    let approval: Approval = question;
    if (isNew) {
      await onAsked(approval);
      approval = (await store.approvals.find(workspace, id, asked.approvalId)) ?? approval;
    }
    if (approval.status !== 'pending' || waitMs === 0) return approval;
    const over = new AbortController();
    const cancelTimer = clock.schedule(() => over.abort(), waitMs);
    const waiting = AbortSignal.any([signal, over.signal]);
    try {
      while (approval.status === 'pending' && !waiting.aborted) {
        await this.#answered.after(seen, { signal: waiting });
        seen = this.#answered.rings;
        approval = (await store.approvals.find(workspace, id, asked.approvalId)) ?? approval;
      }
    } finally {
      cancelTimer();
    }
    return approval;
  }

  /** Answers how the question ended, whoever was first. */
  async withdraw({ id, approvalId, message, ...guard }: RouteInput<'approvals/withdraw'>, { principal }: CallContext): Promise<Approval> {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const now = clock.now();
    const ended = await store.approvals.ask(workspace, { agentId: id, approvalId }, ({ agents, found }) => {
      actAs(agents, principal, id, guardOf(guard));
      registered(agents, id);
      if (found === null) throw new RelayError('not_found', `${id} has asked nothing of the id ${approvalId}`);
      if (found.status !== 'pending') return { answer: found, change: null };
      const over = resolveApproval(found, { status: 'cancelled', by: 'session', message: message ?? null }, now);
      return { answer: over, change: changeTo(over, now) };
    });
    this.#answered.ring();
    return ended;
  }

  /** A person's answer. @throws RelayError `already_resolved` when somebody was first. */
  async resolve(workspace: string, pending: PendingApproval, answer: AnswerOutcome['end']): Promise<Approval> {
    const { store, clock } = this.#deps;
    const { sessionId, approvalId } = pending;
    const now = clock.now();
    const resolved = await store.approvals.change(workspace, { sessionId, approvalId }, (current) => {
      assertPending(current);
      const next = resolveApproval(current, answer, now);
      return { answer: next, change: changeTo(next, now) };
    });
    this.#answered.ring();
    return resolved ?? resolveApproval(pending, answer, now);
  }
}

const guardOf = ({ instanceId, epoch }: { readonly instanceId?: string | undefined; readonly epoch?: number | undefined }) => ({
  ...(instanceId === undefined ? {} : { instanceId }),
  ...(epoch === undefined ? {} : { epoch }),
});
