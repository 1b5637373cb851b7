import type { ApprovalOption } from 'agent-relay-protocol';
import type { ApprovalQuestion, ApprovalVerdict } from 'agent-relay-provider';
import type { PermissionRequest } from '../stream-json/frames.ts';
import { type PermissionRule, PermissionRuleSchema } from '../stream-json/permission-rule.ts';
import type { PermissionAnswer } from '../stream-json/request-desk.ts';
import { askPerson, type QuestionParts, questionOf } from './ask-person.ts';
import { type UserQuestions, userQuestions } from './user-questions.ts';

export interface AskedTool {
  readonly request: PermissionRequest;
  readonly relayServers: readonly string[];
  readonly cwd: string;
  /** A single rule that Claude suggests is offered for the rest of the session; what it suggests besides (settings, folders, a mode) never is. */
  readonly offersRule: boolean;
}

/** Asks a person about a use of a tool, with Claude's own choices where the tool is a question itself. */
export async function askAboutTool(asked: AskedTool, parts: QuestionParts, signal: AbortSignal): Promise<PermissionAnswer> {
  const { request } = asked;
  const answer = await answerFor(asked, parts, signal);
  if (answer.behavior === 'deny') parts.translator.declined(request.tool_use_id);
  return answer;
}

function answerFor(asked: AskedTool, parts: QuestionParts, signal: AbortSignal): Promise<PermissionAnswer> {
  switch (asked.request.tool_name) {
    case 'AskUserQuestion':
      return askQuestions(asked, parts, signal);
    case 'ExitPlanMode':
      return askPlan(asked, parts, signal);
    default:
      return askUse(asked, parts, signal);
  }
}

async function askQuestions(asked: AskedTool, parts: QuestionParts, signal: AbortSignal): Promise<PermissionAnswer> {
  const questions = userQuestions(asked.request.input);
  if (questions === null) return { behavior: 'deny', message: 'These questions cannot be read: ask in plain words.' };
  const { input: _, ...question } = questionOf(asked.request, asked, parts.translator.turnId);
  const title = questions.form.map(({ text }) => text).join(' ');
  const verdict = await askPerson({ ...question, title, form: questions.form, options: choices('Answer', 'Do not answer') }, parts, signal);
  return verdict.outcome === 'allowed' ? answered(questions, verdict) : { behavior: 'deny', message: verdict.message };
}

const answered = ({ inputWith }: UserQuestions, { answers = {} }: Extract<ApprovalVerdict, { outcome: 'allowed' }>): PermissionAnswer => ({
  behavior: 'allow',
  updatedInput: inputWith(answers),
});

/** What a yes changes of Claude's mode besides is not offered: the session asks on as before. */
async function askPlan(asked: AskedTool, parts: QuestionParts, signal: AbortSignal): Promise<PermissionAnswer> {
  const question = questionOf(asked.request, asked, parts.translator.turnId);
  const options = choices('Begin, and go on to ask', 'Keep planning');
  const verdict = await askPerson({ ...question, title: 'The plan is made: may it begin?', options }, parts, signal);
  return verdict.outcome === 'allowed' ? { behavior: 'allow' } : { behavior: 'deny', message: verdict.message };
}

async function askUse(asked: AskedTool, parts: QuestionParts, signal: AbortSignal): Promise<PermissionAnswer> {
  const rule = asked.offersRule ? suggestedRule(asked.request) : null;
  const question: ApprovalQuestion = {
    ...questionOf(asked.request, asked, parts.translator.turnId),
    isEditable: true,
    ...(rule === null ? {} : { forSession: wordsFor(rule) }),
  };
  const verdict = await askPerson(question, parts, signal);
  if (verdict.outcome !== 'allowed') return { behavior: 'deny', message: verdict.message };
  const updatedInput = inputFrom(verdict.updatedInput, asked.request);
  if (updatedInput === null)
    return { behavior: 'deny', message: 'The input that a person put in its place is no object, so nothing was done.' };
  // The rule is for the input that was asked about, which nobody said yes to.
  if (updatedInput !== undefined) return { behavior: 'allow', updatedInput };
  return { behavior: 'allow', ...(verdict.forSession && rule ? { rule } : {}) };
}

/** The input that shall run instead; undefined where it stays. What is shown of a server's tool has its name around it. */
function inputFrom(
  edited: ApprovalQuestion['input'],
  { tool_name: name }: PermissionRequest,
): Readonly<Record<string, unknown>> | null | undefined {
  if (edited === undefined) return undefined;
  if (!isObject(edited)) return null;
  if (!name.startsWith('mcp__')) return edited;
  const inner = edited['tool'] === name ? edited['arguments'] : undefined;
  return inner !== undefined && isObject(inner) ? inner : null;
}

const isObject = (value: unknown): value is Readonly<Record<string, NonNullable<ApprovalQuestion['input']>>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const choices = (yes: string, no: string): readonly ApprovalOption[] => [
  { id: 'allow', label: yes, outcome: 'allow' },
  { id: 'deny', label: no, outcome: 'deny' },
];

function suggestedRule({ permission_suggestions: suggestions }: PermissionRequest): PermissionRule | null {
  const [rule, ...others] = suggestions.flatMap(({ type, behavior, rules = [] }) =>
    type === 'addRules' && behavior === 'allow' ? rules : [],
  );
  const parsed = PermissionRuleSchema.safeParse(rule);
  return parsed.success && others.length === 0 ? parsed.data : null;
}

function wordsFor({ toolName, ruleContent }: PermissionRule): string {
  return `Allow ${ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`} for this session`;
}
