import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Difference, type PlayedAct, type Replayed, readRun, recordRun, replayRun } from 'agent-relay-client';
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
    .description('Write a run to standard output: what was said, asked and done, and what became of it, one JSON object a line')
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
        const { differences, ...played } = await replayRun(readRun(text), options).catch((error: unknown) => {
          throw nameTaken(error, terminal) ?? error;
        });
        for (const difference of differences) terminal.out(json ? JSON.stringify(difference) : describe(difference));
        count = differences.length;
        terminal.note(`${playedInWords(played)} played; ${count === 0 ? 'all came out as it was' : counted(count, 'difference')}.`);
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

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function playedInWords({ messages, tasks, claims, approvals, pairs, reservations, rules }: Omit<Replayed, 'differences'>): string {
  const more = [
    tasks > 0 && counted(tasks, 'task'),
    claims > 0 && counted(claims, 'claim'),
    approvals > 0 && counted(approvals, 'question'),
    pairs > 0 && counted(pairs, 'pair'),
    reservations > 0 && counted(reservations, 'reservation'),
    rules > 0 && counted(rules, 'rule'),
  ];
  const words = [counted(messages, 'message'), ...more.filter((part) => part !== false)];
  const last = words.at(-1) ?? '';
  const all = words.length === 1 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
  return `${all} ${words.length === 1 && messages === 1 ? 'was' : 'were'}`;
}

const refusals: Readonly<Record<PlayedAct, string>> = {
  report: 'could not report again',
  claim: 'could not take',
  progress: 'could not say how it goes with',
  release: 'could not give back',
  end: 'could not end',
  ask: 'could not ask',
  answer: 'could not be answered on',
  invite: 'could not invite to pair',
  accept: 'could not accept pair',
  decline: 'could not decline pair',
  hang_up: 'could not hang up pair',
  reserve: 'could not reserve',
  give_back: 'could not give back',
  allow: 'could not be given the rule',
  revoke: 'could not lose the rule',
};

function describe(difference: Difference): string {
  switch (difference.type) {
    case 'refused':
      return `message ${difference.messageId} was refused: ${oneLine(difference.reason, 200)} (${difference.code})`;
    case 'receipt': {
      const { messageId, agentId, recorded, replayed } = difference;
      if (recorded === null) return `message ${messageId} reached ${agentId} as well (${replayed})`;
      if (replayed === null) return `message ${messageId} did not reach ${agentId} (${recorded} in the run)`;
      return `message ${messageId} is ${replayed} with ${agentId} (${recorded} in the run)`;
    }
    case 'act_refused': {
      const { agentId, act, subject, reason, code } = difference;
      return `${agentId} ${refusals[act]} ${oneLine(subject, 80)}: ${oneLine(reason, 200)} (${code})`;
    }
    case 'task':
      return `task ${difference.taskId} is ${difference.replayed} (${difference.recorded} in the run)`;
    case 'pair':
      return `pair ${difference.pairId} is ${difference.replayed} (${difference.recorded} in the run)`;
    case 'reservation': {
      const { reservationId, agentId, replayed, recorded } = difference;
      return `reservation ${reservationId} of ${agentId} is ${replayed} (${recorded} in the run)`;
    }
    case 'claim':
      return `the claim on message ${difference.messageId} is ${difference.replayed} (${difference.recorded} in the run)`;
    case 'approval': {
      const { approvalId, agentId, recorded, replayed } = difference;
      return `question ${oneLine(approvalId, 80)} of ${agentId} is ${replayed ?? 'not there'} (${recorded} in the run)`;
    }
  }
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!Number.isFinite(speed) || speed <= 0) throw new InvalidArgumentError('must be a number above 0, e.g. 10');
  return speed;
}
