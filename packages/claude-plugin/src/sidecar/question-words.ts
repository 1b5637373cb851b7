import type { AskApproval, FormAnswers, FormField, ToolKind } from 'agent-relay-protocol';
import { printable } from 'agent-relay-wire';
import { z } from 'zod';
import type { GatedUse } from './tool-gate.ts';

type Words = Pick<AskApproval, 'kind' | 'title' | 'options' | 'form' | 'isEditable'>;

/** What a person answered, as far as it changes what runs. */
export interface AnswerWords {
  readonly answers?: FormAnswers | undefined;
  readonly updatedInput?: unknown;
}

/** How a use of a tool is put to a person, and what runs after their yes. */
export interface QuestionWords {
  readonly words: Words;
  /** Null where nothing may run: the answer is not one that the use takes. */
  readonly inputAfter: (answer: AnswerWords) => GatedUse['input'] | null;
}

export function questionWords(use: GatedUse): QuestionWords {
  if (use.name === 'AskUserQuestion') return userQuestions(use) ?? plainUse(use);
  if (use.name !== 'ExitPlanMode') return plainUse(use);
  const words: Words = {
    kind: 'other',
    title: 'The plan is made: may it begin?',
    options: choices('Begin, and go on to ask', 'Keep planning'),
  };
  return { words, inputAfter: () => use.input };
}

const Questions = z
  .array(
    z.looseObject({
      question: z.string().min(1),
      header: z.string().optional(),
      multiSelect: z.boolean().optional(),
      options: z.array(z.looseObject({ label: z.string().min(1), description: z.string().optional() })),
    }),
  )
  .min(1);

/** Claude reads the answers in the input, by the words of the question. Null for questions that cannot be read whole. */
function userQuestions({ input }: GatedUse): QuestionWords | null {
  const parsed = Questions.safeParse(input['questions']);
  if (!parsed.success) return null;
  const questions = parsed.data.map((asked, index) => ({ id: `q${index + 1}`, ...asked }));
  const form = questions.map(({ id, question, header, multiSelect, options }): FormField => {
    const all = options.map(({ label, description }) => ({ value: label, label, ...(description && { description }) }));
    return {
      id,
      text: question,
      ...(header && { title: header }),
      choices: all,
      allowsText: true,
      ...(multiSelect && { allowsSeveral: true }),
    };
  });
  const title = titled(form.map(({ text }) => text).join(' '));
  return {
    words: { kind: 'other', title, options: choices('Answer', 'Do not answer'), form },
    inputAfter: ({ answers = {} }) => {
      const given = questions.map((asked) => ({ ...asked, answer: (answers[asked.id] ?? []).join(', ') }));
      if (given.every(({ answer }) => answer === '')) return null;
      // Questions with the same words have one place for their answers.
      const sameAs = (words: string) => given.filter(({ question }) => question === words);
      return { ...input, answers: Object.fromEntries(given.map(({ question }) => [question, together(sameAs(question))])) };
    },
  };
}

interface Answered {
  readonly header?: string | undefined;
  readonly answer: string;
}

const together = (same: readonly Answered[]): string =>
  same.map(({ header, answer }) => (same.length === 1 || header === undefined ? answer : `${header}: ${answer}`)).join('; ');

function plainUse({ name, input }: GatedUse): QuestionWords {
  const what = input['command'] ?? input['file_path'] ?? input['url'] ?? input['notebook_path'] ?? input['pattern'];
  const title = titled(typeof what === 'string' ? `${name}: ${what}` : name);
  return {
    words: { kind: kinds[name] ?? 'other', title, isEditable: true },
    inputAfter: ({ updatedInput }) => {
      if (updatedInput === undefined) return input;
      return isObject(updatedInput) ? updatedInput : null;
    },
  };
}

const isObject = (value: unknown): value is GatedUse['input'] => typeof value === 'object' && value !== null && !Array.isArray(value);

const titled = (words: string): string => printable(words.replace(/\s+/gu, ' ')).slice(0, 500);

const choices = (yes: string, no: string): NonNullable<Words['options']> => [
  { id: 'allow', label: yes, outcome: 'allow' },
  { id: 'deny', label: no, outcome: 'deny' },
];

const kinds: Readonly<Record<string, ToolKind>> = {
  Bash: 'execute',
  Edit: 'edit',
  MultiEdit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Read: 'read',
  Grep: 'search',
  Glob: 'search',
  WebFetch: 'fetch',
  WebSearch: 'fetch',
};
