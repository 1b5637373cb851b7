import type { AuditEntry } from 'agent-relay-protocol';
import { Command } from 'commander';
import { CommandFailure, type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { parseTaskId } from './tasks.ts';
import { dayAndTime, oneLine, type Terminal, table } from './terminal.ts';

export const auditCommand = (terminal: Terminal): Command =>
  withDefault(new Command('audit'), listCommand(terminal))
    .description('Who did what here: spawns, steers, answers, tokens, rules, machines, removals')
    .addCommand(verifyCommand(terminal));

interface ListOptions extends RelayOptions {
  readonly action?: string;
  readonly by?: string;
  readonly before?: number;
  readonly limit?: number;
  readonly json?: true;
}

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List what was done, newest first')
    .option('--action <name>', 'only this, such as sessions/start')
    .option('--by <who>', 'only what this one did, such as owner or agent:Lead')
    .option('--before <id>', 'only what is older than this entry', parseTaskId)
    .option('--limit <count>', 'how many (default 100)', parseTaskId)
    .option('--json', 'one JSON object a line')
    .action(async ({ action, by, before, limit, json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const query = { ...(action && { action }), ...(by && { by }), ...(before && { before }), ...(limit && { limit }) };
        const { data, nextCursor } = await client.audit.list(query, { signal: terminal.signal });
        if (json) for (const entry of data) terminal.out(JSON.stringify(entry));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note('Nothing.');
        else if (nextCursor !== undefined && !json) terminal.note(`There is more: --before ${nextCursor}`);
      });
    });

const verifyCommand = (terminal: Terminal): Command =>
  relayCommand('verify')
    .description('Check that nothing in it was changed or taken out')
    .option('--json', 'the result as JSON')
    .action(async ({ json, ...options }: RelayOptions & { readonly json?: true }) => {
      await withRelay(options, terminal, async (client) => {
        const verdict = await client.audit.verify({}, { signal: terminal.signal });
        const { sound, checked, from, head, broken } = verdict;
        if (json) terminal.out(JSON.stringify(verdict));
        else if (sound) terminal.out(`Sound: ${checked} entries after ${from.id}. The last is ${head.id}, ${head.hash}`);
        if (broken !== null) throw new CommandFailure(`error: entry ${broken.id} is broken: ${oneLine(broken.reason)}`, 1);
      });
    });

const heading = ['ID', 'WHEN', 'BY', 'TOKEN', 'DID', 'ABOUT', 'WITH'];
const row = ({ id, at, by, tokenId, action, subject, details }: AuditEntry): string[] => [
  String(id),
  dayAndTime(at),
  oneLine(by, 60),
  oneLine(tokenId ?? '', 20),
  oneLine(action, 40),
  oneLine(subject ?? '', 60),
  oneLine(
    Object.entries(details)
      .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' '),
    100,
  ),
];
