import { type AgentEvent, RelayError, readAnswer } from 'agent-relay-protocol';
import type { ApprovalDecision } from 'agent-relay-provider';

/** How far a yes may go that comes from elsewhere: not at all, for what is asked as it is asked, or until the session ends. */
export interface AnswerLimit {
  readonly upTo: 'none' | 'once' | 'session';
  /** Who says so, for whoever is refused. */
  readonly because: string;
}

type Asked = Extract<AgentEvent, { type: 'approval.requested' }>;

/** @throws RelayError `forbidden` for a yes that goes further; `validation_failed` for what is no answer to the question. */
export function assertAnswerWithin({ upTo, because }: AnswerLimit, asked: Asked, decision: ApprovalDecision): void {
  const { outcome, option } = readAnswer(asked, decision);
  if (outcome === 'deny') return;
  const refuse = (what: string) => new RelayError('forbidden', `${because}: ${what}`);
  if (upTo === 'none') throw refuse('what agents ask is answered with yes on this machine alone');
  if (option?.outcome === 'allow_always') throw refuse('nothing is allowed for ever from elsewhere');
  if (upTo === 'session') return;
  if (decision.forSession || option?.outcome === 'allow_session') throw refuse('a yes from elsewhere is for once');
  if (decision.updatedInput !== undefined) throw refuse('a yes from elsewhere is for what was asked, as it was asked');
}
