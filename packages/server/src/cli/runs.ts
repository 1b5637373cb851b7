import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Difference, readRun, recordRun, replayRun } from 'agent-relay-client';
import { messageOf, RelayError } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError } from 'commander';
import { programName } from './program-name.ts';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal } from './terminal.ts';
import { readTime } from './time.ts';

interface RecordOptions extends RelayOptions {
  readonly since?: number;
  readonly until?: number;
}

export const recordCommand = (terminal: Terminal): Command =>
  relayCommand('record')
    .description('Write a run to standard output: what was said, what became of it and what agents did, one JSON object a line')
    .argument('[agents...]', 'only what these said, received and did')
    .option('--since <time>', 'nothing from before: today, 2026-03-01, or how long ago, as 2h', readTime)
    .option('--until <time>', 'nothing from then on', readTime)
    .action(async (agents: string[], { since, until, ...options }: RecordOptions) => {
      const { signal } = terminal;
      await withRelay(options, terminal, async (client) => {
        // An id that nobody has would be an empty run.
        for (const id of agents) await client.agents.get({ id }, { signal });
        const records = await recordRun(client, {
          signal,
          recordedAt: Date.now(),
          ...(agents.length > 0 && { agents }),
          ...(since !== undefined && { since }),
          ...(until !== undefined && { until }),
        });
        for (const record of records) terminal.out(JSON.stringify(record));
      });
    });

export const replayCommand = (terminal: Terminal): Command =>
  relayCommand('replay')
    .description('Play a recorded run to a relay that knows none of its agents, and say where the outcome differs')
    .argument('<file>', 'what `record` wrote')
    .option('--speed <factor>', 'how many times as fast as it was (default: without waiting)', parseSpeed)
    .option('--json', 'each difference as one JSON object')
    .addHelpText('after', beside)
    .action(async (file: string, { speed, json, ...options }: RelayOptions & { speed?: number; json?: true }) => {
      const text = await readFile(resolve(terminal.cwd, file), 'utf8').catch((error: unknown) => {
        throw new CommandFailure(`error: ${file} cannot be read: ${messageOf(error)}`, 2);
      });
      let count = 0;
      await withRelay(options, terminal, async (relay) => {
        const options = { relay, signal: terminal.signal, ...(speed && { speed }) };
        const { messages, differences } = await replayRun(readRun(text), options).catch((error: unknown) => {
          throw nameTaken(error, terminal) ?? error;
        });
        for (const difference of differences) terminal.out(json ? JSON.stringify(difference) : describe(difference));
        count = differences.length;
        terminal.note(`${messages} messages were played; ${count === 0 ? 'all came out as they were' : `${count} differences`}.`);
      });
      if (count > 0) throw new CommandFailure('error: it did not come out as it was', 1);
    });

const beside = `
Example, with a fresh relay in a terminal of its own:
  agent-relay record Lead Worker > run.ndjson
  agent-relay serve --port 0 --db /tmp/replay.db --no-local-node
  agent-relay replay run.ndjson --db /tmp/replay.db`;

/** A relay that knows the agents is most often the one that they ran on. */
function nameTaken(error: unknown, { env }: Pick<Terminal, 'env'>): CommandFailure | null {
  if (!(error instanceof RelayError) || error.code !== 'name_taken') return null;
  const start = `${programName(env)} serve --port 0 --db /tmp/replay.db --no-local-node`;
  return new CommandFailure(
    `error: ${error.message} (name_taken)\nStart a fresh one in another terminal: ${start}\nand add --db /tmp/replay.db here.`,
    1,
  );
}

function describe(difference: Difference): string {
  const message = `message ${difference.messageId}`;
  if (difference.type === 'refused') return `${message} was refused: ${oneLine(difference.reason, 200)} (${difference.code})`;
  const { agentId, recorded, replayed } = difference;
  if (recorded === null) return `${message} reached ${agentId} as well (${replayed})`;
  if (replayed === null) return `${message} did not reach ${agentId} (${recorded} in the run)`;
  return `${message} is ${replayed} with ${agentId} (${recorded} in the run)`;
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!Number.isFinite(speed) || speed <= 0) throw new InvalidArgumentError('must be a number above 0, e.g. 10');
  return speed;
}
