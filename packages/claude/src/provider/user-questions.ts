import type { FormAnswers, FormField } from 'agent-relay-protocol';
import { z } from 'zod';
import type { ToolInput } from './tool-words.ts';

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

/** What Claude asks with `AskUserQuestion`, as a form, and the input that the answers come to: Claude reads them there, by the words of the question. */
export interface UserQuestions {
  readonly form: FormField[];
  readonly inputWith: (answers: FormAnswers) => Readonly<Record<string, unknown>>;
}

/** Null for questions that cannot be read whole. */
export function userQuestions(input: ToolInput): UserQuestions | null {
  const parsed = Questions.safeParse(input['questions']);
  if (!parsed.success) return null;
  const questions = parsed.data.map((asked, index) => ({ id: `q${index + 1}`, ...asked }));
  return {
    form: questions.map(({ id, question, header, multiSelect, options }) => ({
      id,
      text: question,
      ...(header ? { title: header } : {}),
      choices: options.map(({ label, description }) => ({ value: label, label, ...(description ? { description } : {}) })),
      allowsText: true,
      ...(multiSelect ? { allowsSeveral: true } : {}),
    })),
    inputWith: (answers) => ({
      ...input,
      answers: Object.fromEntries(questions.map(({ id, question }) => [question, (answers[id] ?? []).join(', ')])),
    }),
  };
}
