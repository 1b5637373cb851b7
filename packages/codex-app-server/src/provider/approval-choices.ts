import { type ApprovalOption, approvalLimits } from 'agent-relay-protocol';
import type { ApprovalQuestion, ApprovalVerdict } from 'agent-relay-provider';
import type { ToolUse } from 'agent-relay-provider/kit';

/** What Codex asks, and what it is answered. */
export interface CodexApproval {
  readonly question: Omit<ApprovalQuestion, 'options'>;
  /** What it comes to, for the one rule about tools. */
  readonly use: ToolUse;
  /** What a person may answer. Without a yes among them nobody is asked: what would be allowed is not known. */
  readonly choices: readonly CodexChoice[];
  /** The no of whoever is not asked, or does not answer. */
  readonly deny: object;
  /** The MCP tool that it would call. */
  readonly call?: { readonly server: string; readonly tool: string; readonly input: unknown; readonly allow: object };
}

/** One answer that a person may give, and what Codex is told then. */
export interface CodexChoice {
  readonly option: ApprovalOption;
  readonly answer: (verdict: ApprovalVerdict) => object;
}

export const choice = (
  outcome: ApprovalOption['outcome'],
  { id, label }: Pick<ApprovalOption, 'id' | 'label'>,
  answer: CodexChoice['answer'],
): CodexChoice => ({
  option: { id, label: label.length <= approvalLimits.label ? label : `${label.slice(0, approvalLimits.label - 1)}…`, outcome },
  answer,
});

/** What Codex takes for each of the answers that it knows to most of its questions; without a word for one, it is not offered. */
export interface Vocabulary {
  readonly once?: CodexChoice['answer'];
  readonly session?: CodexChoice['answer'];
  readonly deny: CodexChoice['answer'];
  readonly cancel?: CodexChoice['answer'];
}

/** Labels where the usual ones say too little. */
export interface ChoiceWords {
  readonly once?: string;
  readonly session?: string;
  readonly deny?: string;
}

export function choicesOf({ once, session, deny, cancel }: Vocabulary, words: ChoiceWords = {}): readonly CodexChoice[] {
  const allowOnce = { id: 'allow', label: words.once ?? 'Allow once' };
  const allowSession = { id: 'allow-session', label: words.session ?? 'Allow until the session ends' };
  return [
    ...(once ? [choice('allow', allowOnce, once)] : []),
    ...(session ? [choice('allow_session', allowSession, session)] : []),
    choice('deny', { id: 'deny', label: words.deny ?? 'Deny' }, deny),
    ...(cancel ? [choice('cancel', { id: 'cancel', label: 'Deny and stop the turn' }, cancel)] : []),
  ];
}

export const offersYes = (choices: readonly CodexChoice[]): boolean => choices.some(({ option }) => isYes(option));

const isYes = ({ outcome }: ApprovalOption): boolean => outcome !== 'deny' && outcome !== 'cancel';

/** What Codex is told; a yes by an option that was not offered, or none, is a no. */
export function replyTo(choices: readonly CodexChoice[], deny: object, verdict: ApprovalVerdict): object {
  const chosen = choices.find(({ option }) => option.id === verdict.optionId);
  if (!chosen || verdict.outcome === 'cancelled') return deny;
  return isYes(chosen.option) === (verdict.outcome === 'allowed') ? chosen.answer(verdict) : deny;
}

const isCancel = (choices: readonly CodexChoice[], { optionId }: ApprovalVerdict): boolean =>
  choices.some(({ option }) => option.id === optionId && option.outcome === 'cancel');

/** Whether the turn goes on, so that its model can be told something. */
export const turnGoesOn = (choices: readonly CodexChoice[], verdict: ApprovalVerdict): boolean =>
  verdict.outcome !== 'cancelled' && !isCancel(choices, verdict);

export const always = (answer: object) => () => answer;

export const reasonOf = (verdict: ApprovalVerdict): string => verdict.message ?? 'This was not allowed.';

export const other = ({ title }: Pick<ApprovalQuestion, 'title'>): ToolUse => ({ kind: 'other', name: title });

export const placeInTurn = ({
  turnId,
  itemId,
}: {
  readonly turnId?: string | null | undefined;
  readonly itemId?: string | null | undefined;
}) => ({
  ...(turnId ? { turnId } : {}),
  ...(itemId ? { itemId } : {}),
});
