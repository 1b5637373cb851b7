import {
  type AgentEvent,
  type Approval,
  type ApprovalAnswer,
  fitsApproval,
  keptAnswers,
  type PendingApproval,
  type Principal,
  principalName,
  RelayError,
  readAnswer,
  type Session,
  touchedFiles,
} from 'agent-relay-protocol';
import type { Change } from './change.ts';
import { agentOf, grantOf, isOwner, mayActUpon, wasGiven } from './scopes.ts';
import { isOfItsOwn, type Watched } from './spawn-rules.ts';

type ApprovalEvent = Extract<AgentEvent, { type: 'approval.requested' | 'approval.resolved' }>;
type ResolvedApproval = Exclude<Approval, PendingApproval>;

/** What an approval keeps of its input, as JSON: it rides in the log. The agent's activity has more. */
const LONGEST_INPUT = 16 * 1024;

export const isApprovalEvent = (event: AgentEvent): event is ApprovalEvent =>
  event.type === 'approval.requested' || event.type === 'approval.resolved';

/**
 * What becomes of an approval when a session tells of it; null when nothing does. A question without options is answered by the mode of its
 * session, one of a session that is over has nobody who waits, one beyond the limits nobody can be shown, and the first answer stays.
 */
export function followApproval(
  event: ApprovalEvent,
  { agentId, sessionId, status }: Session,
  found: Approval | null,
  now: number,
): Approval | null {
  if (event.type === 'approval.resolved') {
    if (found?.status !== 'pending') return null;
    const { outcome, by, message = null, optionId, answers, updatedInput } = event;
    return resolveApproval(found, { status: settledAs(outcome), by, message, ...present({ optionId, answers, updatedInput }) }, now);
  }
  const isOver = status === 'ended' || status === 'failed';
  if (found !== null || isOver || event.options.length === 0 || !fitsApproval(event)) return null;
  const { approvalId, kind, title, cwd, input, options, form, isEditable, expiresInMs } = event;
  return {
    approvalId,
    agentId,
    sessionId,
    kind,
    title,
    ...present({
      cwd,
      input: input === undefined ? undefined : shortInput(input),
      files: filesOf(event),
      options,
      form,
      isEditable,
    }),
    requestedAt: now,
    ...present({ expiresAt: expiresInMs === undefined ? undefined : now + expiresInMs }),
    status: 'pending',
    resolvedAt: null,
    by: null,
    message: null,
  };
}

/** What it names, and where the links of its machine lead that. */
function filesOf({ kind, cwd, input, linkedFiles = [] }: Extract<ApprovalEvent, { type: 'approval.requested' }>): string[] | undefined {
  const files = touchedFiles({ kind, cwd, input });
  return files === null && linkedFiles.length === 0 ? undefined : [...new Set([...(files ?? []), ...linkedFiles])];
}

/** By a word of a later version nothing was allowed. */
const settledAs = (outcome: string): ResolvedApproval['status'] => (outcome === 'allowed' || outcome === 'denied' ? outcome : 'cancelled');

export const resolveApproval = (
  pending: PendingApproval,
  answer: Pick<ResolvedApproval, 'status' | 'by' | 'message' | 'optionId' | 'answers' | 'updatedInput'>,
  now: number,
): ResolvedApproval => ({ ...pending, ...answer, resolvedAt: now });

/** What its machine is told of an answer, and how the question ends with it. */
export interface AnswerOutcome {
  readonly told: ApprovalAnswer & { readonly outcome: 'allow' | 'deny' };
  readonly end: Pick<ResolvedApproval, 'status' | 'by' | 'message' | 'optionId' | 'answers' | 'updatedInput'>;
}

/** @throws RelayError `validation_failed` naming what the question does not take. */
export function decideAnswer(pending: PendingApproval, given: ApprovalAnswer, by: string): AnswerOutcome {
  const { outcome } = readAnswer(pending, given);
  const { message, optionId, answers, updatedInput } = given;
  const said = outcome === 'allow' ? present({ answers, updatedInput }) : {};
  const kept = said.answers && { answers: keptAnswers(pending.form ?? [], said.answers) };
  return {
    told: { outcome, ...present({ optionId, message }), ...said },
    end: { status: outcome === 'allow' ? 'allowed' : 'denied', by, message: message ?? null, ...present({ optionId }), ...said, ...kept },
  };
}

type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without the fields that are not there. */
function present<Fields extends object>(fields: Fields): Present<Fields> {
  // Only what is undefined is left out.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}

/** @throws RelayError `already_resolved` naming who answered. */
export function assertPending(approval: Approval): asserts approval is PendingApproval {
  if (approval.status === 'pending') return;
  const { approvalId, status, by, resolvedAt } = approval;
  throw new RelayError('already_resolved', `${approvalId} is ${status} already, by ${by}`, { details: { status, by, resolvedAt } });
}

/** A person, a program that was given this by name, or a channel: only a channel's token has one of these scopes and an agent that it acts as. */
const speaksForPeople = (principal: Principal, scope: 'approvals:read' | 'approvals:write'): boolean =>
  isOwner(principal) || (principal.type === 'token' && wasGiven(principal, scope));

/** A person, or a program that a person gave this by name and that is no agent's and no channel's. */
export const isPersonsOwn = (principal: Principal, scope: 'approvals:read' | 'approvals:write'): boolean =>
  agentOf(principal) === null && speaksForPeople(principal, scope);

/** Whether somebody may see what an agent asks; null for what all of them ask. Whoever may see what it does may not see that for that alone. */
export function maySeeApprovals(principal: Principal, asking: Watched | null): boolean {
  if (speaksForPeople(principal, 'approvals:read')) return asking ? mayActUpon(principal, asking.agentId) : isUnnarrowed(principal);
  return asking !== null && isOfItsOwn(principal, asking);
}

const isUnnarrowed = (principal: Principal): boolean => (grantOf(principal)?.targets ?? null) === null;

/**
 * Whether somebody may answer what an agent asks. An answer is a person's: an agent approves neither itself nor another, and a machine or
 * a system outside speaks for nobody.
 * @throws RelayError `forbidden`.
 */
export function assertMayAnswer(principal: Principal): void {
  if (speaksForPeople(principal, 'approvals:write')) return;
  const self = agentOf(principal);
  const who = self === null ? 'This token' : `The token of ${self}`;
  throw new RelayError('forbidden', `${who} may not answer approvals: a person does, with the owner's token or one made for it`);
}

/** Who answers, as it is kept. @throws RelayError `forbidden` when somebody who is no channel says for whom. */
export function answererOf(principal: Principal, person: string | undefined): string {
  if (person === undefined) return principalName(principal);
  const channel = principal.type === 'token' ? principal.agentId : null;
  if (channel !== null) return `person:${person}@${channel}`;
  const message = 'Only a channel answers for its people: left out, whoever answers is kept';
  throw new RelayError('forbidden', `person: ${message}`, { issues: [{ path: 'person', message }] });
}

type Input = Exclude<Approval['input'], undefined>;

export function shortInput(input: Input): Input {
  const text = JSON.stringify(input);
  if (text.length <= LONGEST_INPUT) return input;
  return `${text.slice(0, LONGEST_INPUT)}… ${text.length - LONGEST_INPUT} more characters: see the activity of the agent`;
}

/** The questions of a session that is over. */
export function cancelAll(
  pending: readonly PendingApproval[],
  { agentId }: Session,
  now: number,
): Required<Pick<Change, 'approvals' | 'events'>> {
  const message = `The session of ${agentId} ended`;
  const cancelled = pending.map((approval) => resolveApproval(approval, { status: 'cancelled', by: 'session', message }, now));
  return { approvals: cancelled, events: cancelled.map((approval) => ({ type: 'approval.resolved', at: now, approval })) };
}
