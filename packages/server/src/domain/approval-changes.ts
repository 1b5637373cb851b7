import type { Agent, Approval, AskApproval, PendingApproval } from 'agent-relay-protocol';
import { fitsApproval, RelayError, touchedFiles } from 'agent-relay-protocol';
import { resolveApproval, shortInput } from './approval.ts';
import type { Change } from './change.ts';
import { type FollowFacts, leavingsOf } from './rule.ts';

/** More than this an agent does not ask at once. */
const MOST_PENDING = 100;

/**
 * What an agent asks of a person itself. It belongs to the process that the agent is, as there is no session that a machine runs.
 * @throws RelayError `unsupported` for an agent whose machine asks for it, or that named no instance; `rate_limited` when it asks too much at once.
 */
export function askQuestion(
  { approvalId, kind, title, cwd, input, options, form, isEditable }: AskApproval,
  agent: Agent,
  pending: readonly PendingApproval[],
  now: number,
): PendingApproval {
  const { id, sessionId, instanceId } = agent;
  if (sessionId !== null) throw new RelayError('unsupported', `${id} runs on a machine, which asks for it`);
  if (instanceId === null) throw new RelayError('unsupported', `${id} registered without an instanceId: nobody could tell when it is gone`);
  if (pending.length >= MOST_PENDING) {
    throw new RelayError('rate_limited', `${id} waits for ${pending.length} answers already`, { details: { retryAfterMs: 60_000 } });
  }
  if (!fitsApproval({ options, form }))
    throw new RelayError('validation_failed', 'form: Its words, or those of its options, are too long to be shown', {
      issues: [{ path: 'form', message: 'Its words, or those of its options, are too long to be shown' }],
    });
  const files = touchedFiles({ kind, cwd, input });
  return {
    approvalId,
    agentId: id,
    sessionId: ownSession(agent),
    kind,
    title,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input: shortInput(input) }),
    ...(files && { files }),
    ...(options && { options }),
    ...(form && { form }),
    ...(isEditable === undefined ? {} : { isEditable }),
    requestedAt: now,
    status: 'pending',
    resolvedAt: null,
    by: null,
    message: null,
  };
}

/** @throws RelayError `idempotency_mismatch` when the id was used for another question: its answer would be taken for that of this one. */
export function assertAsksTheSame({ approvalId, kind, title, cwd, input, options, form, isEditable }: AskApproval, found: Approval): void {
  const asked = [kind, title, cwd, input === undefined ? undefined : shortInput(input), options, form, isEditable];
  const before = [found.kind, found.title, found.cwd, found.input, found.options, found.form, found.isEditable];
  if (JSON.stringify(asked) === JSON.stringify(before)) return;
  throw new RelayError('idempotency_mismatch', `approvalId: ${approvalId} was asked before, with another kind, title, folder or input`, {
    issues: [{ path: 'approvalId', message: 'Another question has this id' }],
  });
}

/** What an agent that no machine runs asks under, as long as it is the same process. No session of a machine, and no other agent, has this name. */
export const ownSession = ({ id, epoch }: Pick<Agent, 'id' | 'epoch'>): string => `own/${epoch}/${id}`;

/** An approval as it is now, told on the log. */
export const changeTo = (approval: Approval, at: number): Change => ({
  at,
  approvals: [approval],
  events: [{ type: approval.status === 'pending' ? 'approval.requested' : 'approval.resolved', at, approval }],
});

/** Whoever leaves waits for no answer any more. What a machine runs ends with its session. */
export function withdrawsQuestions(facts: FollowFacts, change: Change): Change {
  let next = change;
  for (const { id, reason } of leavingsOf(facts, change)) {
    const before = facts.agent(id)?.agent;
    if (!before || before.instanceId === null) continue;
    const given = new Set(next.approvals?.map(({ approvalId }) => approvalId));
    const over = facts
      .pendingOf(ownSession(before))
      .filter(({ agentId, approvalId }) => agentId === id && !given.has(approvalId))
      .map((pending) => resolveApproval(pending, { status: 'cancelled', by: 'session', message: reason }, change.at));
    if (over.length === 0) continue;
    next = {
      ...next,
      events: [...(next.events ?? []), ...over.map((approval) => ({ type: 'approval.resolved' as const, at: change.at, approval }))],
      approvals: [...(next.approvals ?? []), ...over],
    };
  }
  return next;
}
