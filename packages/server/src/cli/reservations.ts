import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Reservation } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { untilTime } from './claims.ts';
import { agentOfSession } from './current-agent.ts';
import type { WordsOf } from './event-words.ts';
import { type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { parseTaskId } from './tasks.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

interface ActingOptions extends RelayOptions {
  readonly agent?: string;
}

export const reservationsCommand = (terminal: Terminal): Command =>
  withDefault(new Command('reservations'), listCommand(terminal))
    .description('Files that one agent has for itself for a while: list, add, renew, release')
    .addCommand(addCommand(terminal))
    .addCommand(renewCommand(terminal))
    .addCommand(releaseCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List who has which files')
    .option('--agent <id>', 'only those of this agent')
    .option('--file <path>', 'only those that hold this file', (path: string) => resolve(terminal.cwd, path))
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, file, json, ...options }: ActingOptions & { readonly file?: string; readonly json?: true }) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await client.reservations.list({ ...(agent && { agent }), ...(file && { file }) }, { signal: terminal.signal });
        if (json) for (const reservation of data) terminal.out(JSON.stringify(reservation));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note('Nobody has reserved files.');
      });
    });

interface AddOptions extends ActingOptions {
  readonly folder: string;
  readonly enforced?: true;
  readonly lease?: number;
  readonly note?: string;
}

const addCommand = (terminal: Terminal): Command =>
  relayCommand('add')
    .description('Have files for oneself: patterns below the folder, such as src/auth/ or "**/*.sql"')
    .argument('<patterns...>', 'what, below the folder')
    .option('--agent <id>', 'whose they are (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .option('--folder <path>', 'where the patterns begin', (path: string) => resolve(terminal.cwd, path), terminal.cwd)
    .option('--enforced', 'keep others from them; who works there and cannot be kept from them is named')
    .option('--lease <seconds>', 'for how long (default: 600, at most 3600)', parseLease)
    .option('--note <text>', 'why, for the others')
    .action(async (patterns: string[], { agent, folder, enforced, lease, note, ...options }: AddOptions) => {
      await withRelay(options, terminal, async (client) => {
        const more = {
          ...(agent && { agentId: agent }),
          ...(enforced && { enforced }),
          ...(lease && { leaseMs: lease }),
          ...(note && { note }),
        };
        const made = await client.reservations.create({ folder: realFolder(folder), patterns, ...more }, { signal: terminal.signal });
        terminal.out(`Reservation ${made.id} of ${made.agentId} holds until ${untilTime(made.leaseExpiresAt)}`);
        if (made.unheld?.length)
          terminal.note(`Not kept from it, for nobody is asked before they edit: ${oneLine(made.unheld.join(', '), 300)}`);
        for (const other of made.conflicts) terminal.note(`${other.agentId} has some of it too: ${oneLine(other.patterns.join(' '), 200)}`);
      });
    });

/** As the machine of the agents calls it, which follows links; a folder that is not here is called as it is said. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

const renewCommand = (terminal: Terminal): Command =>
  relayCommand('renew')
    .description('Have them for longer')
    .argument('<reservation>', 'its number', parseTaskId)
    .option('--agent <id>', 'whose it is (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .option('--lease <seconds>', 'for how long from now (default: 600)', parseLease)
    .action(async (id: number, { agent, lease, ...options }: ActingOptions & { readonly lease?: number }) => {
      await withRelay(options, terminal, async (client) => {
        const renewed = await client.reservations.renew(
          { id, ...(agent && { agentId: agent }), ...(lease && { leaseMs: lease }) },
          { signal: terminal.signal },
        );
        terminal.out(`Reservation ${id} holds until ${untilTime(renewed.leaseExpiresAt)}`);
      });
    });

const releaseCommand = (terminal: Terminal): Command =>
  relayCommand('release')
    .description('Give the files back')
    .argument('<reservation>', 'its number', parseTaskId)
    .option('--agent <id>', 'whose it is (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .action(async (id: number, { agent, ...options }: ActingOptions) => {
      await withRelay(options, terminal, async (client) => {
        await client.reservations.release({ id, ...(agent && { agentId: agent }) }, { signal: terminal.signal });
        terminal.out(`Reservation ${id} is released.`);
      });
    });

function parseLease(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3_600) throw new InvalidArgumentError('must be from 1 to 3600 seconds');
  return seconds * 1000;
}

const heading = ['ID', 'AGENT', 'FILES', 'FOLDER', 'UNTIL', 'ENFORCED', 'NOTE'];
const row = ({ id, agentId, patterns, folder, leaseExpiresAt, enforced, note }: Reservation): string[] => [
  String(id),
  oneLine(agentId, 60),
  oneLine(patterns.join(' '), 80),
  oneLine(folder, 60),
  untilTime(leaseExpiresAt),
  enforced ? 'yes' : 'no',
  oneLine(note ?? '', 60),
];

export const reservationWords: WordsOf<'reservation'> = {
  'reservation.created': ({ reservation: { id, agentId, patterns, folder } }) =>
    `${agentId} has reserved ${oneLine(patterns.join(' '), 200)} in ${oneLine(folder, 200)} (${id})`,
  'reservation.ended': ({ reservation: { id, agentId, ended } }) =>
    `reservation ${id} of ${agentId} is ${ended === 'released' ? 'released' : ended === 'left' ? 'over: the agent is gone' : 'over'}`,
};
