import type { ApprovalVerdict } from 'agent-relay-provider';
import type { z } from 'zod';
import { always, type CodexApproval, choice, choicesOf, other, placeInTurn, reasonOf } from './approval-choices.ts';
import type { approvalSchemas } from './approval-schemas.ts';
import { elicitationForm } from './elicitation-form.ts';

type Elicitation = z.infer<typeof approvalSchemas.elicitation>;

const elicited = {
  deny: always({ action: 'decline', content: null, _meta: null }),
  cancel: always({ action: 'cancel', content: null, _meta: null }),
};
const accepted = (content: object | null = {}, persist?: string) => ({ action: 'accept', content, _meta: persist ? { persist } : null });

/** A call of a server's tool, or what a server wants of a person. */
export function elicitation(params: Elicitation): CodexApproval {
  return params._meta?.codex_approval_kind === 'mcp_tool_call' ? toolCallApproval(params) : serverQuestion(params);
}

function toolCallApproval(params: Elicitation): CodexApproval {
  const { serverName, _meta: meta } = params;
  const tool = meta?.tool_name;
  const input = { server: serverName, tool: tool ?? null, arguments: meta?.tool_params ?? null };
  const question = { ...placeInTurn(params), kind: 'other', title: titleOf(params), input } as const;
  const offered = new Set(tool ? meta?.persist : []);
  const session = offered.has('session') ? { session: always(accepted({}, 'session')) } : {};
  const named = { id: 'allow-always', label: `Allow for ever, in every session: ${tool} of ${serverName}` };
  return {
    question,
    use: other(question),
    choices: [
      ...choicesOf(
        { once: always(accepted()), ...session, ...elicited },
        { session: `Allow ${tool} of ${serverName} until the session ends` },
      ),
      ...(offered.has('always') ? [choice('allow_always', named, always(accepted({}, 'always')))] : []),
    ],
    deny: elicited.deny(),
    ...(tool ? { call: { server: serverName, tool, input: meta?.tool_params ?? {}, allow: accepted() } } : {}),
  };
}

/** What a server wants to know, or where it wants a person to go. A form that is not understood whole is declined. */
function serverQuestion(params: Elicitation): CodexApproval {
  const { serverName, url } = params;
  const question = {
    ...placeInTurn(params),
    kind: 'other',
    title: titleOf(params),
    input: { server: serverName, ...(url ? { url } : {}) },
  } as const;
  const base = { use: { kind: 'question', name: question.title }, deny: elicited.deny() } as const;
  if (params.mode === 'url') {
    const choices = url ? choicesOf({ once: always(accepted(null)), ...elicited }, { once: 'I have been there: go on' }) : [];
    return { ...base, question, choices };
  }
  const asked = elicitationForm(params.requestedSchema);
  if (!asked) return { ...base, question, choices: [] };
  const once = (verdict: ApprovalVerdict) => accepted(asked.contentOf(verdict.outcome === 'allowed' ? (verdict.answers ?? {}) : {}));
  return { ...base, question: { ...question, form: asked.form }, choices: choicesOf({ once, ...elicited }, { once: 'Answer' }) };
}

const titleOf = ({ message, title, serverName }: Elicitation): string => message ?? title ?? `A question of ${serverName}`;

/** What the model wants to know. */
export function userInput(params: z.infer<typeof approvalSchemas.userInput>): CodexApproval {
  const { questions } = params;
  const allSaying = (words: string) => ({ answers: Object.fromEntries(questions.map(({ id }) => [id, { answers: [words] }])) });
  const title = questions.map(({ question }) => question).join(' ') || 'A question';
  const form = questions.map(({ id, header, question, options, isOther, isSecret }) => ({
    id,
    text: question,
    ...(header ? { title: header } : {}),
    choices: options.map(({ label, description }) => ({ value: label, label, ...(description ? { description } : {}) })),
    allowsText: isOther === true || options.length === 0,
    ...(isSecret ? { isSecret } : {}),
  }));
  const once = (verdict: ApprovalVerdict) => {
    const said = verdict.outcome === 'allowed' ? Object.entries(verdict.answers ?? {}) : [];
    return { answers: Object.fromEntries(said.map(([id, answers]) => [id, { answers }])) };
  };
  const vocabulary = { once, deny: (verdict: ApprovalVerdict) => allSaying(reasonOf(verdict)) };
  return {
    question: { ...placeInTurn(params), kind: 'other', title, form },
    use: { kind: 'question', name: title },
    choices: questions.length === 0 ? [] : choicesOf(vocabulary, { once: 'Answer', deny: 'Do not answer' }),
    deny: allSaying('Nobody can answer now: decide yourself.'),
  };
}
