import { type Hold, type HoldStatus, HoldStatusSchema } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { requirePerson } from './current-agent.ts';
import { type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { parseTaskId } from './tasks.ts';
import { indented, oneLine, type Terminal, table } from './terminal.ts';

interface ListOptions extends RelayOptions {
  readonly status: HoldStatus | 'all';
  readonly json?: true;
}

export const holdsCommand = (terminal: Terminal): Command =>
  withDefault(new Command('holds'), listCommand(terminal))
    .description('Messages that the loop guard keeps: list them, read one, release it, refuse it')
    .addCommand(showCommand(terminal))
    .addCommand(releaseCommand(terminal))
    .addCommand(refuseCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List held messages, newest first')
    .option('--status <status>', 'held, released, refused or all', parseStatus, 'held')
    .option('--json', 'one JSON object a line')
    .action(async ({ status, json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await client.holds.list(status === 'all' ? {} : { status }, { signal: terminal.signal });
        if (json) for (const hold of data) terminal.out(JSON.stringify(hold));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note('No held messages.');
      });
    });

const showCommand = (terminal: Terminal): Command =>
  relayCommand('show')
    .description('Read a held message')
    .argument('<hold>', 'its number', parseTaskId)
    .action(async (id: number, options: RelayOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { message, reason, status } = await client.holds.get({ id }, { signal: terminal.signal });
        terminal.out(`${id} ${status}: ${message.from} → ${message.to}`);
        terminal.out(`${reason}.`);
        terminal.out('');
        terminal.out(`    ${indented(message.body)}`);
      });
    });

const releaseCommand = (terminal: Terminal): Command =>
  relayCommand('release')
    .description('Send a held message after all')
    .argument('<hold>', 'its number', parseTaskId)
    .action(async (id: number, options: RelayOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const sent = await client.holds.release({ id }, { signal: terminal.signal });
        terminal.out(`Held message ${id} is sent as [msg:${sent.id}] to ${sent.to}, which reached ${sent.matched}.`);
      });
    });

const refuseCommand = (terminal: Terminal): Command =>
  relayCommand('refuse')
    .description('Never send a held message; its sender is told')
    .argument('<hold>', 'its number', parseTaskId)
    .option('--because <text>', 'why')
    .action(async (id: number, { because, ...options }: RelayOptions & { readonly because?: string }) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const { message } = await client.holds.refuse({ id, ...(because === undefined ? {} : { because }) }, { signal: terminal.signal });
        terminal.out(`Held message ${id} is refused; ${message.from} is told.`);
      });
    });

const heading = ['ID', 'STATUS', 'RULE', 'FROM', 'TO', 'TRIES', 'SAYS'];
const row = ({ id, status, rule, message, attempts }: Hold): string[] => [
  String(id),
  status,
  rule,
  message.from,
  message.to,
  String(attempts),
  oneLine(message.body, 60),
];

function parseStatus(text: string): string {
  if (text === 'all' || HoldStatusSchema.safeParse(text).success) return text;
  throw new InvalidArgumentError(`must be one of ${[...HoldStatusSchema.options, 'all'].join(', ')}`);
}
