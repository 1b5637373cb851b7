import type { ApprovalRule, CreateApprovalRule } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { findApproval } from './approvals.ts';
import { requirePerson } from './current-agent.ts';
import type { WordsOf } from './event-words.ts';
import { CommandFailure, type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { parseTaskId } from './tasks.ts';
import { dayAndTime, oneLine, type Terminal, table } from './terminal.ts';

export const rulesCommand = (terminal: Terminal): Command =>
  withDefault(new Command('rules'), listCommand(terminal))
    .description('What agents may do from now on without asking again: list such rules, add one, revoke it')
    .addCommand(addCommand(terminal))
    .addCommand(revokeCommand(terminal));

interface ListOptions extends RelayOptions {
  readonly agent?: string;
  readonly all?: true;
  readonly json?: true;
}

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List the rules that hold, newest first')
    .option('--agent <id>', 'only those for this agent')
    .option('--all', 'also those that hold no longer')
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, all, json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const filter = { ...(agent && { agent }), ...(all ? {} : { active: true }) };
        const { data } = await client.rules.list(filter, { signal: terminal.signal });
        if (json) for (const rule of data) terminal.out(JSON.stringify(rule));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note(all ? 'No rule was made.' : 'No rule holds: agents ask each time.');
      });
    });

interface AddOptions extends RelayOptions {
  readonly agent?: string;
  readonly tag?: string;
  readonly from?: string;
  readonly name?: string;
  readonly edit?: true;
  readonly folder?: string;
  readonly for?: number;
  readonly uses?: number;
}

const addCommand = (terminal: Terminal): Command =>
  relayCommand('add')
    .description('Allow what begins with these words, each time an agent asks; without words what --from asked, or with --edit files')
    .argument('[words...]', 'how the command begins, word by word; what may follow is not looked at')
    .option('--agent <id>', 'for this agent')
    .option('--tag <tag>', 'for every agent with this tag')
    .option('--from <approval>', 'made from this question of --agent, which it answers: its id, or the beginning of one that is pending')
    .option('--folder <path>', 'only there and below, as its machine calls it (default: where --from asked)')
    .option('--edit', 'edits of files in the folder, instead of a command')
    .option('--for <time>', 'how long, as 30m, 8h or 7d (default: until it is revoked)', parseSpan)
    .option('--uses <count>', 'how often at most', parseTaskId)
    .option('--name <text>', 'how its uses are told')
    .action(async (words: string[], options: AddOptions) => {
      requirePerson(terminal);
      const { agent, tag, from, name, edit, folder, for: span, uses, ...relay } = options;
      if ((agent === undefined) === (tag === undefined)) throw new CommandFailure('error: say whose rule it is: --agent or --tag', 2);
      const said: CreateApprovalRule = {
        ...(agent && { agentId: agent }),
        ...(tag && { tag }),
        ...(name && { name }),
        ...(edit && { kind: 'edit' as const }),
        ...(words.length > 0 && { command: words }),
        ...(folder && { folder }),
        ...(span && { expiresAt: Date.now() + span }),
        ...(uses && { maxUses: uses }),
      };
      await withRelay(relay, terminal, async (client) => {
        const { approvalId } = from === undefined ? {} : await findApproval(client, { text: from, agent }, terminal.signal);
        const request: CreateApprovalRule = { ...said, ...(approvalId && { approvalId }) };
        const rule = await client.rules.create(request, { signal: terminal.signal });
        terminal.out(`Rule ${rule.id} holds: ${oneLine(rule.name)}`);
        if (approvalId && rule.uses === 0) terminal.note(`It did not answer ${approvalId}, which waits for \`approve\` or \`deny\`.`);
      });
    });

const revokeCommand = (terminal: Terminal): Command =>
  relayCommand('revoke')
    .description('End a rule: what it allowed is asked about again')
    .argument('<rule>', 'its number', parseTaskId)
    .action(async (id: number, options: RelayOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const rule = await client.rules.revoke({ id }, { signal: terminal.signal });
        terminal.out(`Rule ${rule.id} holds no longer: ${oneLine(rule.name)}`);
      });
    });

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseSpan(text: string): number {
  const [, count, unit = ''] = /^(\d{1,4})([mhd])$/u.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  if (count === undefined || unitMs === undefined || Number(count) === 0) throw new InvalidArgumentError('Say 30m, 8h or 7d.');
  return Number(count) * unitMs;
}

const heading = ['ID', 'FOR', 'ALLOWS', 'FOLDER', 'USES', 'UNTIL', 'NAME'];
const row = (rule: ApprovalRule): string[] => [
  String(rule.id),
  rule.agentId ?? `tag ${rule.tag}`,
  rule.command === null ? rule.kind : oneLine(rule.command.join(' '), 60),
  oneLine(rule.folder, 60),
  rule.maxUses === null ? String(rule.uses) : `${rule.uses}/${rule.maxUses}`,
  untilOf(rule),
  oneLine(rule.name, 60),
];

/** How long a rule holds, or why it does so no longer: one that nobody has revoked must not look as if somebody had. */
function untilOf({ ended, expiresAt }: ApprovalRule): string {
  if (ended !== null) return `over: ${ended.replaceAll('_', ' ')}`;
  return expiresAt === null ? 'it is revoked' : dayAndTime(expiresAt);
}

export const approvalRuleWords: WordsOf<'rule'> = {
  'rule.created': ({ rule: { id, name, createdBy } }) => `rule ${id} holds from now on, says ${oneLine(createdBy)}: ${oneLine(name)}`,
  'rule.used': ({ rule: { id, name }, agentId, approvalId }) =>
    `${agentId}: ${oneLine(approvalId)} allowed by rule ${id}: ${oneLine(name)}`,
  'rule.ended': ({ rule: { id, name, ended } }) => `rule ${id} holds no longer (${ended}): ${oneLine(name)}`,
};
