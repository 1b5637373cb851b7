import { type Callback, type CallbackStatus, CallbackStatusSchema } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { parseTaskId } from './tasks.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

interface ListOptions extends RelayOptions {
  readonly status?: CallbackStatus;
  readonly json?: true;
}

export const callbacksCommand = (terminal: Terminal): Command =>
  withDefault(new Command('callbacks'), listCommand(terminal))
    .description('What integrations are told of their tasks: list it, send it again')
    .addCommand(redeliverCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List callbacks, newest first')
    .option('--status <status>', 'pending, delivered or dead', parseStatus)
    .option('--json', 'one JSON object a line')
    .action(async ({ status, json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await client.callbacks.list(status ? { status } : {}, { signal: terminal.signal });
        if (json) for (const callback of data) terminal.out(JSON.stringify(callback));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note('No callbacks.');
      });
    });

const redeliverCommand = (terminal: Terminal): Command =>
  relayCommand('redeliver')
    .description('Send a callback again, now')
    .argument('<callback>', 'its number', parseTaskId)
    .action(async (id: number, options: RelayOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { integration, event, taskId } = await client.callbacks.redeliver({ id }, { signal: terminal.signal });
        terminal.out(`Callback ${id} (${event} of task ${taskId}) is on its way to ${integration} again.`);
      });
    });

const heading = ['ID', 'STATUS', 'INTEGRATION', 'EVENT', 'TASK', 'ATTEMPTS', 'LAST ERROR'];
const row = ({ id, status, integration, event, taskId, attempts, lastError }: Callback): string[] => [
  String(id),
  status,
  integration,
  event,
  String(taskId),
  String(attempts),
  lastError === null ? '-' : oneLine(lastError, 80),
];

function parseStatus(text: string): string {
  if (CallbackStatusSchema.safeParse(text).success) return text;
  throw new InvalidArgumentError(`must be one of ${CallbackStatusSchema.options.join(', ')}`);
}
