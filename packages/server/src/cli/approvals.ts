import type { RelayClient } from 'agent-relay-client';
import type { Approval } from 'agent-relay-protocol';
import type { Command } from 'commander';
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

interface AnswerOptions extends RelayOptions {
  readonly agent?: string;
  readonly deny?: true;
  readonly message?: string;
}

export const approveCommand = (terminal: Terminal): Command =>
  relayCommand('approve')
    .description('Allow what an agent asks, this once; --deny refuses it')
    .argument('<approval>', 'its id, or the beginning of one that is pending')
    .option('--deny', 'do not allow it')
    .option('--message <text>', 'what the agent should know about your answer')
    .option('--agent <id>', 'the agent that asks (default: found by the id)')
    .action(async (approvalId: string, { agent, deny, message, ...options }: AnswerOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const asked = agent === undefined ? await findApproval(client, approvalId, terminal.signal) : { agentId: agent, approvalId };
        const answer = { outcome: deny ? ('deny' as const) : ('allow' as const), ...(message && { message }) };
        const approval = await client.approvals.resolve(
          { id: asked.agentId, approvalId: asked.approvalId, ...answer },
          { signal: terminal.signal },
        );
        terminal.out(`${approval.agentId}: ${approval.status}: ${oneLine(approval.title)}`);
      });
    });

/** @throws CommandFailure when nothing, or more than one thing, is meant. */
async function findApproval(client: RelayClient, text: string, signal: AbortSignal): Promise<Pick<Approval, 'agentId' | 'approvalId'>> {
  const { data: pending } = await client.approvals.list({ status: 'pending', limit: 1000 }, { signal });
  const begun = pending.filter(({ approvalId }) => approvalId.startsWith(text));
  const meant = begun.filter(({ approvalId }) => approvalId === text);
  const [found, ...others] = meant.length > 0 ? meant : begun;
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) throw new CommandFailure(`error: ${text} begins ${others.length + 1} approvals: say more of it, or --agent`, 1);
  const { data: all } = await client.approvals.list({ limit: 1000 }, { signal });
  const answered = all.find(({ approvalId }) => approvalId === text);
  if (answered === undefined) throw new CommandFailure(`error: no agent asks anything of the id ${text}`, 1);
  return answered;
}

/** The whole of what would run, because that is what is allowed. */
function describeApproval({ approvalId, agentId, title, cwd, input, requestedAt, ...answer }: Approval): string[] {
  const state = answer.status === 'pending' ? 'asks' : `${answer.status} by ${oneLine(answer.by)}`;
  const why = answer.message === null ? [] : [`    said: ${oneLine(answer.message)}`];
  const where = cwd === undefined ? [] : [`    in ${oneLine(cwd, 4096)}`];
  const what =
    input === undefined
      ? []
      : printable(textOf(input))
          .split('\n')
          .map((line) => `    ${line}`);
  return [`${oneLine(approvalId)}  ${clockTime(requestedAt)}  ${agentId} ${state}: ${oneLine(title)}`, ...where, ...what, ...why];
}

function textOf(input: Exclude<Approval['input'], undefined>): string {
  if (typeof input === 'string') return input;
  if (input === null || typeof input !== 'object' || Array.isArray(input) || typeof input['command'] !== 'string')
    return JSON.stringify(input, null, 2);
  const { command, ...rest } = input;
  return Object.keys(rest).length === 0 ? command : `${command}\n${JSON.stringify(rest)}`;
}
