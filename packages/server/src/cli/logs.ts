import { type Command, InvalidArgumentError } from 'commander';
import { describeActivity } from './describe-activity.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface LogsOptions extends RelayOptions {
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
}

export const logsCommand = (terminal: Terminal): Command =>
  relayCommand('logs')
    .description('Show what an agent did')
    .argument('<name>', "the agent's id")
    .option('--limit <count>', 'how many entries, the newest ones', parseLimit, 200)
    .option('--follow', 'go on with what it does now')
    .option('--json', 'one JSON object a line')
    .action(async (name: string, { limit, follow, json, ...options }: LogsOptions) => {
      await withRelay(options, terminal, async (client) => {
        const show = (entry: Parameters<typeof describeActivity>[0]) => {
          const line = json ? JSON.stringify(entry) : describeActivity(entry);
          if (line !== null) terminal.out(line);
        };
        const { data, cursor } = await client.agents.activity({ id: name, limit, newest: true }, { signal: terminal.signal });
        for (const entry of data) show(entry);
        if (!follow) return;
        const after = data.at(-1)?.id ?? cursor;
        for await (const entry of client.activity(name, { after, signal: terminal.signal })) if (entry.id > 0 || json) show(entry);
      });
    });

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) throw new InvalidArgumentError('must be a whole number from 1 to 1000');
  return limit;
}
