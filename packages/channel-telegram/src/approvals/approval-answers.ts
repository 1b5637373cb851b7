import { type Approval, type ApprovalAnswer, ApprovalAnswerSchema, type ApprovalOption, type FormField } from 'agent-relay-protocol';
import { printable } from 'agent-relay-wire';
import type { InlineKeyboardMarkup } from 'grammy/types';
import { z } from 'zod';

/** What may be said to a question in a chat: by a button, named by its word, or by a reply, a line for each of these. */
export const AnswersSchema = z.object({
  presses: z.record(z.string(), ApprovalAnswerSchema).default({}),
  lines: z.array(z.object({ id: z.string(), values: z.array(z.string()), several: z.boolean() })).default([]),
});
export type Answers = z.infer<typeof AnswersSchema>;

interface Button {
  readonly word: string;
  readonly text: string;
  readonly answer: ApprovalAnswer;
}

const MAX_BUTTONS = 12;
const MAX_BUTTON_LENGTH = 60;

type Asked = Pick<Approval, 'options' | 'form'>;

/** The usual yes and no, which every version of this channel knows by their words. */
const isPlain = ({ options = [], form = [] }: Asked): boolean =>
  form.length === 0 && options.every(({ id, outcome }) => id === outcome && (outcome === 'allow' || outcome === 'deny'));

const isYes = ({ outcome }: ApprovalOption): boolean => outcome !== 'deny' && outcome !== 'cancel';

/** Nobody should allow what they cannot read: without the whole there is only a no. */
function buttonsOf(asked: Asked, isWhole: boolean): readonly Button[] {
  const deny: Button = { word: 'deny', text: 'Deny', answer: { outcome: 'deny' } };
  if (isPlain(asked)) return isWhole ? [{ word: 'allow', text: 'Allow', answer: { outcome: 'allow' } }, deny] : [deny];
  const { options = [], form = [] } = asked;
  const choices = isWhole ? choicesOf(form) : [];
  const shown = options.flatMap((option, index): Button[] => {
    if (isYes(option) && (!isWhole || form.length > 0)) return [];
    return [{ word: `o${index}`, text: buttonText(option.label), answer: { optionId: option.id } }];
  });
  return [...choices, ...(shown.length === 0 ? [deny] : shown)].slice(0, MAX_BUTTONS);
}

/** One question with a few choices is answered by a press; more than that by a reply. */
function choicesOf([field, ...others]: readonly FormField[]): readonly Button[] {
  if (!field || others.length > 0 || field.allowsSeveral || field.choices.length > MAX_BUTTONS - 4) return [];
  return field.choices.map(({ value, label }, index) => ({
    word: `c${index}`,
    text: buttonText(label),
    answer: { answers: { [field.id]: [value] } },
  }));
}

function buttonText(label: string): string {
  const line = [...printable(label).replaceAll('\n', ' ')];
  return line.length <= MAX_BUTTON_LENGTH ? line.join('') : `${line.slice(0, MAX_BUTTON_LENGTH - 1).join('')}…`;
}

export function answersOf(asked: Asked, isWhole: boolean): Answers {
  const presses = buttonsOf(asked, isWhole).map(({ word, answer }) => [word, answer]);
  const lines = (isWhole ? (asked.form ?? []) : []).map(({ id, choices, allowsSeveral = false }) => ({
    id,
    values: choices.map(({ value }) => value),
    several: allowsSeveral,
  }));
  return { presses: Object.fromEntries(presses), lines };
}

export function questionKeyboard(key: string, asked: Asked, isWhole: boolean): InlineKeyboardMarkup {
  const buttons = buttonsOf(asked, isWhole).map(({ word, text }) => ({ text, callback_data: `${word}:${key}` }));
  return { inline_keyboard: isPlain(asked) ? [buttons] : buttons.map((button) => [button]) };
}

export function readPress(data: string | undefined): { readonly word: string; readonly key: string } | null {
  const [, word, key] = /^(allow|deny|[oc]\d{1,2}):([\w-]{22})$/u.exec(data ?? '') ?? [];
  return word !== undefined && key !== undefined ? { word, key } : null;
}

/** A reply as an answer, line by line; a choice may be named by its number. Null for a question that takes none. */
export function readReply({ lines }: Answers, text: string): ApprovalAnswer | null {
  if (lines.length === 0) return null;
  const said = lines.length === 1 ? [text.trim()] : text.split('\n').map((line) => line.trim());
  const answers = lines.map(({ id, values, several }, index) => {
    const own = said[index] ?? '';
    const parts = (several ? own.split(',') : [own]).map((part) => part.trim()).filter((part) => part !== '');
    return [id, parts.map((part) => choiceNamed(part, values))] as const;
  });
  return { answers: Object.fromEntries(answers.filter(([, parts]) => parts.length > 0)) };
}

/** A number is one of the list, unless it is what a choice says itself. */
const choiceNamed = (part: string, values: readonly string[]): string =>
  values.includes(part) || !/^\d+$/u.test(part) ? part : (values[Number(part) - 1] ?? part);

/** What is asked in words, and how to answer it here. */
export function formText(form: readonly FormField[]): string {
  if (form.length === 0) return '';
  const fields = form.map((field, index) => {
    const number = form.length === 1 ? '' : `${index + 1}) `;
    const notes = [field.allowsSeveral ? 'several, with commas' : '', field.isOptional ? 'may stay empty' : ''].filter(
      (note) => note !== '',
    );
    const choices = field.choices.map(({ label, description }, at) => `  ${at + 1}. ${label}${description ? `: ${description}` : ''}`);
    return [`${number}${field.text}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`, ...choices].join('\n');
  });
  const how = form.length === 1 ? 'Reply to this message to answer.' : 'Reply to this message to answer, a line for each.';
  return `${fields.join('\n')}\n\n${how}`;
}
