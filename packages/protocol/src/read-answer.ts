import type { z } from 'zod';
import { type ApprovalOption, approvalLimits, type FormAnswers, type FormField } from './approval-form.ts';
import { type FieldIssue, RelayError } from './errors.ts';
import { clipPath } from './parse.ts';

/** What an answer may be, as the question says it. Without options it is allowed or denied. */
export interface Answerable {
  readonly options?: readonly ApprovalOption[] | undefined;
  readonly form?: readonly FormField[] | undefined;
  readonly isEditable?: boolean | undefined;
}

export interface GivenAnswer {
  readonly outcome?: 'allow' | 'deny' | undefined;
  readonly optionId?: string | undefined;
  readonly answers?: FormAnswers | undefined;
  readonly updatedInput?: z.infer<ReturnType<typeof z.json>> | undefined;
}

/** What an answer comes to. `option` is null for the yes or no of somebody who named none, where the question has none of the kind. */
export interface ReadAnswer {
  readonly outcome: 'allow' | 'deny';
  readonly option: ApprovalOption | null;
}

/** Whether a person can be shown a question whole: within `approvalLimits`, its form as JSON within `form` characters. */
export function fitsApproval({ options = [], form = [] }: Answerable): boolean {
  const { label, text, choices } = approvalLimits;
  return (
    options.length <= approvalLimits.options &&
    options.every((option) => option.label.length <= label && option.id.length <= approvalLimits.id) &&
    form.length <= approvalLimits.fields &&
    form.every((field) => field.id.length <= approvalLimits.id && field.text.length <= text && field.choices.length <= choices) &&
    form.every((field) => field.choices.every((choice) => choice.value.length <= label && choice.label.length <= label)) &&
    JSON.stringify(form).length <= approvalLimits.form
  );
}

const plainOptions: readonly ApprovalOption[] = [
  { id: 'allow', label: 'Allow once', outcome: 'allow' },
  { id: 'deny', label: 'Deny', outcome: 'deny' },
];

const allowing: ReadonlySet<string> = new Set<ApprovalOption['outcome']>(['allow', 'allow_session', 'allow_always']);

/** By a word of a later version nothing is allowed. */
const outcomeOf = ({ outcome }: ApprovalOption): 'allow' | 'deny' => (allowing.has(outcome) ? 'allow' : 'deny');

/**
 * What an answer means for its question. A yes without an option is the one for this once.
 * @throws RelayError `validation_failed` naming the field: an option that is not offered, an answer that is missing or none of the choices.
 */
export function readAnswer(asked: Answerable, given: GivenAnswer): ReadAnswer {
  const chosen = chosenOption(asked.options ?? plainOptions, given);
  const issues = chosen.outcome === 'deny' ? [] : [...formIssues(asked.form ?? [], given.answers ?? {}), ...inputIssues(asked, given)];
  const [first] = issues;
  if (first) throw refused(issues, first);
  return chosen;
}

function chosenOption(options: readonly ApprovalOption[], { outcome, optionId, answers }: GivenAnswer): ReadAnswer {
  if (optionId !== undefined) {
    const option = options.find((candidate) => candidate.id === optionId);
    if (!option) throw wrong('optionId', `must be one of ${options.map((one) => one.id).join(', ')}`);
    if (outcome !== undefined && outcome !== outcomeOf(option)) throw wrong('outcome', `does not fit the option ${optionId}`);
    return { outcome: outcomeOf(option), option };
  }
  const meant = outcome ?? (answers === undefined ? undefined : 'allow');
  if (meant === undefined) throw wrong('outcome', 'is missing: say allow or deny, or an optionId');
  const option = options.find((candidate) => candidate.outcome === meant) ?? null;
  if (option === null && meant === 'allow')
    throw wrong('optionId', `is missing: this cannot be allowed just once; one of ${options.map((one) => one.id).join(', ')}`);
  return { outcome: meant, option };
}

function formIssues(form: readonly FormField[], answers: FormAnswers): readonly FieldIssue[] {
  const known = new Set(form.map((field) => field.id));
  const unknown = Object.keys(answers).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => ({ path: pathOf(name), message: 'This was not asked' })),
    ...form.flatMap((field) => {
      const message = answerProblem(field, Object.hasOwn(answers, field.id) ? (answers[field.id] ?? []) : []);
      return message === null ? [] : [{ path: pathOf(field.id), message }];
    }),
  ];
}

function answerProblem({ choices, allowsText, allowsSeveral, isOptional, format }: FormField, given: readonly string[]): string | null {
  const said = given.filter((one) => one.trim() !== '');
  if (said.length === 0) return isOptional ? null : 'is missing';
  if (said.length > 1 && !allowsSeveral) return 'must be one answer';
  const own = said.filter((one) => choices.every(({ value }) => value !== one));
  if (own.length > 0 && !allowsText) return `must be one of ${choices.map(({ value }) => value).join(', ')}`.slice(0, 500);
  const isNumber = (text: string) => (format === 'integer' ? Number.isSafeInteger(Number(text)) : Number.isFinite(Number(text)));
  return format !== undefined && !own.every(isNumber) ? `must be ${format === 'integer' ? 'an integer' : 'a number'}` : null;
}

const inputIssues = ({ isEditable }: Answerable, { updatedInput }: GivenAnswer): readonly FieldIssue[] =>
  updatedInput === undefined || isEditable ? [] : [{ path: 'updatedInput', message: 'This agent takes no other input than its own' }];

/** Without what is kept nowhere. */
export function keptAnswers(form: readonly FormField[], answers: FormAnswers): FormAnswers {
  const secret = new Set(form.flatMap((field) => (field.isSecret ? [field.id] : [])));
  return Object.fromEntries(Object.entries(answers).filter(([name]) => !secret.has(name)));
}

const pathOf = (name: string): string => clipPath(`answers.${name}`);

const wrong = (path: string, message: string): RelayError => refused([{ path, message }], { path, message });

const refused = (issues: readonly FieldIssue[], { path, message }: FieldIssue): RelayError =>
  new RelayError('validation_failed', `${path}: ${message}`, { issues: [...issues] });
