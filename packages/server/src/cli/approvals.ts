import type { RelayClient } from 'agent-relay-client';
import type { Approval, ApprovalAnswer, FormAnswers, FormField } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { requirePerson } from './current-agent.ts';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { clockTime, oneLine, printable, type Terminal } from './terminal.ts';

interface ListOptions extends RelayOptions {
  readonly agent?: string;
  readonly all?: true;
  readonly json?: true;
}

export const approvalsCommand = (terminal: Terminal): Command =>
  relayCommand('approvals')
    .description('Show what agents wait to be allowed; `approve` answers')
    .option('--agent <id>', 'only what this agent asks')
    .option('--all', 'also what has been answered')
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, all, json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const filter = { ...(agent && { agent }), ...(all ? {} : { status: 'pending' as const }) };
        const { data } = await client.approvals.list(filter, { signal: terminal.signal });
        for (const approval of data) {
          const lines = json ? [JSON.stringify(approval)] : describeApproval(approval);
          for (const line of lines) terminal.out(line);
        }
        if (data.length === 0) terminal.note(all ? 'Nothing was asked.' : 'No agent waits for an approval.');
      });
    });

interface WhichOptions extends RelayOptions {
  readonly agent?: string;
}

interface AnswerOptions extends WhichOptions {
  readonly deny?: true;
  readonly session?: true;
  readonly option?: string;
  readonly answer?: FormAnswers;
  readonly input?: ApprovalAnswer['updatedInput'];
  readonly message?: string;
}

export const approveCommand = (terminal: Terminal): Command =>
  relayCommand('approve')
    .description('Allow what an agent asks, this once, or choose one of its options; --deny refuses it')
    .argument('<approval>', 'its id, or the beginning of one that is pending')
    .option('--option <id>', 'one of its options, as `approvals` shows them')
    .option('--session', 'its option that holds until the session ends')
    .option('--answer <id=text>', 'an answer to what it asks in words; again for more', collectAnswer)
    .option('--input <json>', 'what shall run instead', parseJson)
    .addOption(new Option('--deny', 'do not allow it').conflicts(['answer', 'input']))
    .option('--message <text>', 'what the agent should know about your answer')
    .option('--agent <id>', 'the agent that asks (default: found by the id)')
    .action(async (approvalId: string, options: AnswerOptions) => {
      const { agent, deny, session, option, answer, input, message, ...relay } = options;
      if ([deny, session, option].filter((given) => given !== undefined).length > 1)
        throw new CommandFailure('error: only one of --option, --session and --deny', 2);
      await answerApproval(terminal, { approvalId, agent, relay }, async (asked) => {
        const chosen = deny ? 'deny' : (option ?? (session ? sessionOption(asked) : undefined));
        const answers = chosenAnswers(asked, answer) ?? (chosen === 'deny' ? undefined : await askForm(asked, terminal));
        return {
          ...(option === undefined && !session ? { outcome: deny ? 'deny' : 'allow' } : { optionId: chosen }),
          ...(answers && { answers }),
          ...(input === undefined ? {} : { updatedInput: input }),
          ...(message && { message }),
        };
      });
    });

export const denyCommand = (terminal: Terminal): Command =>
  relayCommand('deny')
    .description('Refuse what an agent asks')
    .argument('<approval>', 'its id, or the beginning of one that is pending')
    .option('--reason <text>', 'why, or what to do instead: the agent reads it')
    .option('--agent <id>', 'the agent that asks (default: found by the id)')
    .action(async (approvalId: string, { agent, reason, ...relay }: WhichOptions & { readonly reason?: string }) => {
      await answerApproval(terminal, { approvalId, agent, relay }, async () => ({ outcome: 'deny', ...(reason && { message: reason }) }));
    });

interface WhichApproval {
  readonly approvalId: string;
  readonly agent: string | undefined;
  readonly relay: RelayOptions;
}

async function answerApproval(
  terminal: Terminal,
  { approvalId, agent, relay }: WhichApproval,
  answerTo: (asked: Asked) => Promise<ApprovalAnswer>,
): Promise<void> {
  requirePerson(terminal);
  await withRelay(relay, terminal, async (client) => {
    const asked = await findApproval(client, { text: approvalId, agent }, terminal.signal);
    const answer = await answerTo(asked);
    const approval = await client.approvals.resolve(
      { id: asked.agentId, approvalId: asked.approvalId, ...answer },
      { signal: terminal.signal },
    );
    for (const line of describeAnswer(approval)) terminal.out(line);
  });
}

type Asked = Pick<Approval, 'agentId' | 'approvalId' | 'options' | 'form'>;

/** With an agent, what it has not asked is named by the relay. @throws CommandFailure when nothing, or more than one thing, is meant. */
export async function findApproval(
  client: RelayClient,
  { text, agent }: { readonly text: string; readonly agent: string | undefined },
  signal: AbortSignal,
): Promise<Asked> {
  const of = agent === undefined ? {} : { agent };
  const { data: pending } = await client.approvals.list({ ...of, status: 'pending', limit: 1000 }, { signal });
  const begun = pending.filter(({ approvalId }) => approvalId.startsWith(text));
  const meant = begun.filter(({ approvalId }) => approvalId === text);
  const [found, ...others] = meant.length > 0 ? meant : begun;
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) throw new CommandFailure(`error: ${text} begins ${others.length + 1} approvals: say more of it, or --agent`, 1);
  if (agent !== undefined) return { agentId: agent, approvalId: text };
  const { data: all } = await client.approvals.list({ limit: 1000 }, { signal });
  const answered = all.find(({ approvalId }) => approvalId === text);
  if (answered === undefined) throw new CommandFailure(`error: no agent asks anything of the id ${text}`, 1);
  return answered;
}

function sessionOption({ approvalId, options = [] }: Asked): string {
  const found = options.find(({ outcome }) => outcome === 'allow_session');
  if (!found) throw new CommandFailure(`error: ${approvalId} has no option that holds until the session ends`, 1);
  return found.id;
}

/** What a person at the terminal answers, field by field; undefined where nobody sits, or nothing is asked in words. */
async function askForm({ form = [] }: Asked, { ask, note }: Terminal): Promise<FormAnswers | undefined> {
  if (ask === null || form.length === 0) return undefined;
  const answers: [string, string[]][] = [];
  for (const field of form) {
    for (const line of describeField(field)) note(line);
    const said = await ask(field.allowsSeveral ? 'Answers, separated by commas: ' : 'Answer: ');
    const given = (field.allowsSeveral ? said.split(',') : [said]).map((one) => one.trim()).filter((one) => one !== '');
    if (given.length > 0) answers.push([field.id, given.map((one) => chosenValue(field, one))]);
  }
  return Object.fromEntries(answers);
}

/** A choice may be named by its number, unless that is what another is called. */
function chosenValue({ choices }: FormField, said: string): string {
  if (!/^\d+$/u.test(said) || choices.some(({ value }) => value === said)) return said;
  return choices[Number(said) - 1]?.value ?? said;
}

function chosenAnswers({ form = [] }: Asked, answers: FormAnswers | undefined): FormAnswers | undefined {
  if (answers === undefined) return undefined;
  const fields = new Map(form.map((field) => [field.id, field]));
  return Object.fromEntries(
    Object.entries(answers).map(([id, said]) => {
      const field = fields.get(id);
      return [id, field ? said.map((one) => chosenValue(field, one)) : said];
    }),
  );
}

function collectAnswer(text: string, answers: FormAnswers = {}): FormAnswers {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Say id=text.');
  const id = text.slice(0, at);
  return { ...answers, [id]: [...(Object.hasOwn(answers, id) ? (answers[id] ?? []) : []), text.slice(at + 1)] };
}

function parseJson(text: string): ApprovalAnswer['updatedInput'] {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be JSON.');
  }
}

/** What was answered. Where something else runs than was asked for, that. */
function describeAnswer(approval: Approval): string[] {
  const { agentId, status, title } = approval;
  const { answers = {}, updatedInput } = approval.status === 'pending' ? {} : approval;
  const first =
    updatedInput === undefined ? `${status}: ${oneLine(title)}` : `${status}, changed to: ${oneLine(textOf(updatedInput), 1000)}`;
  return [`${agentId}: ${first}`, ...answeredLines(answers)];
}

/** The whole of what would run, because that is what is allowed. */
function describeApproval(approval: Approval): string[] {
  const { approvalId, agentId, title, cwd, input, requestedAt, ...answer } = approval;
  const state = answer.status === 'pending' ? 'asks' : `${answer.status} by ${oneLine(answer.by)}`;
  const why = answer.message === null ? [] : [`    said: ${oneLine(answer.message)}`];
  const where = cwd === undefined ? [] : [`    in ${oneLine(cwd, 4096)}`];
  const what =
    input === undefined
      ? []
      : printable(textOf(input))
          .split('\n')
          .map((line) => `    ${line}`);
  const how = answer.status === 'pending' ? describeChoices(approval) : chosenLine(approval);
  return [`${oneLine(approvalId)}  ${clockTime(requestedAt)}  ${agentId} ${state}: ${oneLine(title)}`, ...where, ...what, ...how, ...why];
}

/** Those that a plain yes or no does not say, what is asked in words, and how long there is. */
function describeChoices({ options = [], form = [], isEditable, expiresAt }: Approval): string[] {
  const isPlain = form.length === 0 && options.every(({ outcome }) => outcome === 'allow' || outcome === 'deny') && options.length <= 2;
  return [
    ...form.flatMap(describeField),
    ...(isPlain ? [] : options.map(({ id, label }) => `    --option ${oneLine(id)}: ${oneLine(label, 500)}`)),
    ...(isEditable && !isPlain ? ['    --input JSON: something else instead'] : []),
    ...(expiresAt === undefined ? [] : [`    until ${clockTime(expiresAt)}, then it counts as denied`]),
  ];
}

function describeField({ id, text, choices, allowsText, allowsSeveral, isOptional }: FormField): string[] {
  const more = [
    allowsSeveral ? 'one or more' : '',
    allowsText && choices.length > 0 ? 'or your own words' : '',
    isOptional ? 'may be left out' : '',
  ];
  const notes = more.filter((word) => word !== '').join(', ');
  return [
    `    --answer ${oneLine(id)}=…: ${oneLine(text, 1000)}${notes === '' ? '' : ` (${notes})`}`,
    ...choices.map(({ value, label, description }, index) => {
      const said = label === value ? oneLine(value) : `${oneLine(value)}: ${oneLine(label)}`;
      return `        ${index + 1}. ${said}${description ? ` (${oneLine(description)})` : ''}`;
    }),
  ];
}

function chosenLine({ options = [], ...answer }: Approval): string[] {
  if (answer.status === 'pending') return [];
  const { optionId, answers = {}, updatedInput } = answer;
  const label = options.find(({ id }) => id === optionId)?.label ?? optionId;
  return [
    ...(label === undefined ? [] : [`    chose: ${oneLine(label, 500)}`]),
    ...answeredLines(answers),
    ...(updatedInput === undefined ? [] : [`    instead: ${oneLine(JSON.stringify(updatedInput), 1000)}`]),
  ];
}

const answeredLines = (answers: FormAnswers): string[] =>
  Object.entries(answers).map(([id, said]) => `    answered ${oneLine(id)}: ${oneLine(said.join(', '), 1000)}`);

function textOf(input: Exclude<Approval['input'], undefined>): string {
  if (typeof input === 'string') return input;
  if (input === null || typeof input !== 'object' || Array.isArray(input) || typeof input['command'] !== 'string')
    return JSON.stringify(input, null, 2);
  const { command, ...rest } = input;
  return Object.keys(rest).length === 0 ? command : `${command}\n${JSON.stringify(rest)}`;
}
