import type { RelayClient } from 'agent-relay-client';
import type { ActivityEntry } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError } from 'commander';
import { shellWord } from '../domain/shell-word.ts';
import { describeActivity } from './describe-activity.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface LogsOptions extends RelayOptions {
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
}

/** Few lines may stand behind many entries that are none. */
const SMALLEST_PAGE = 100;

export const logsCommand = (terminal: Terminal): Command =>
  relayCommand('logs')
    .description('Show what an agent did')
    .argument('<name>', "the agent's id")
    .option('--limit <count>', 'how many lines, the newest ones', parseLimit, 200)
    .option('--follow', 'go on with what it does now')
    .option('--json', 'one JSON object a line')
    .action(async (name: string, { limit, follow, json, ...options }: LogsOptions) => {
      const { signal } = terminal;
      const lineOf = (entry: ActivityEntry) => (json ? JSON.stringify(entry) : describeActivity(entry));
      await withRelay(options, terminal, async (client) => {
        const { lines, after } = await newestLines(client, name, { limit, lineOf, signal });
        for (const line of lines) terminal.out(line);
        if (lines.length === 0) terminal.note(await whyNothing(client, name, signal));
        if (!follow) return;
        for await (const entry of client.activity(name, { after, signal })) {
          const line = entry.id > 0 || json ? lineOf(entry) : null;
          if (line !== null) terminal.out(line);
        }
      });
    });

/** An agent whose process no machine of the relay holds tells nobody what it does. */
async function whyNothing(client: RelayClient, id: string, signal: AbortSignal): Promise<string> {
  const { data } = await client.sessions.list({ agent: id, limit: 1 }, { signal });
  if (data.length > 0) return 'Nothing yet.';
  return `Nothing: no machine of this relay runs ${id}, so what it does is not told here. Its mail is: agent-relay inbox --agent ${shellWord(id)}`;
}

interface Wanted {
  readonly limit: number;
  /** `null`: nothing that is shown. */
  readonly lineOf: (entry: ActivityEntry) => string | null;
  readonly signal: AbortSignal;
}

/** The newest lines there are, oldest first, and the entry after which they go on. */
async function newestLines(client: RelayClient, id: string, { limit, lineOf, signal }: Wanted) {
  const linesOf = (entries: readonly ActivityEntry[]) => entries.map(lineOf).filter((line) => line !== null);
  const size = Math.max(limit, SMALLEST_PAGE);
  const { data, cursor, nextCursor } = await client.agents.activity({ id, limit: size, newest: true }, { signal });
  let lines = linesOf(data);
  for (let before = nextCursor; before !== undefined && lines.length < limit; ) {
    const page = await client.agents.activity({ id, limit: size, before }, { signal });
    lines = [...linesOf(page.data), ...lines];
    before = page.nextCursor;
  }
  return { lines: lines.slice(-limit), after: data.at(-1)?.id ?? cursor };
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) throw new InvalidArgumentError('must be a whole number from 1 to 1000');
  return limit;
}
