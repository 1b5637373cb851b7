import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient, type FoundRelay, findRelay, localDatabasePath, proxyOnTheWay } from 'agent-relay-client/node';
import { detailsOf, RelayError } from 'agent-relay-protocol';
import { envFilePathOf } from 'agent-relay-wire/node';
import { Command, Help, Option } from 'commander';
import { readEnvFile } from '../operations/env-file.ts';
import { programName, startCommand } from './program-name.ts';
import { oneLine, type Terminal } from './terminal.ts';

/** The options that every command which talks to a relay has. */
export interface RelayOptions {
  readonly url?: string;
  readonly token?: string;
  readonly db?: string;
}

/** A command that talks to a running relay. */
export function relayCommand(name: string): Command {
  return new Command(name)
    .addOption(new Option('--url <url>', 'address of the relay (default: the one that runs here)').env('AGENT_RELAY_URL'))
    .addOption(
      new Option('--token <token>', "token to use (default: the owner's, when the relay runs here and no agent runs this shell)").env(
        'AGENT_RELAY_TOKEN',
      ),
    )
    .addOption(new Option('--db <path>', 'database of the relay that runs here, to find it by').env('DB_PATH'));
}

/** Where no subcommand of it is named a command does what this one does, with its options, which its help names. */
export const withDefault = (command: Command, subcommand: Command): Command =>
  command.addCommand(subcommand, { isDefault: true }).configureHelp({
    visibleOptions: () => [...subcommand.options.filter(({ hidden }) => !hidden), ...new Help().visibleOptions(command)],
  });

/** A failed command: one sentence for the person, one exit code for scripts. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command's work with a client, and says in one sentence what went wrong. `isRelayHere`: the relay was found by its door, which is on
 * this machine. @throws CommandFailure.
 */
export async function withRelay(
  options: RelayOptions,
  { env, note }: Pick<Terminal, 'env' | 'note'>,
  work: (client: RelayClient, url: string, isRelayHere: boolean) => Promise<void>,
): Promise<void> {
  const found = await wayTo(options, env);
  const { url } = found;
  const warning = found.token === undefined || found.socketPath !== undefined ? null : proxyOnTheWay(url);
  if (warning !== null) note(`warning: ${warning}`);
  const client = createNodeRelayClient({
    ...found,
    onVersion: ({ relay, client, matches }) => {
      if (!matches)
        note(`warning: the relay at ${url} is version ${oneLine(relay.version, 40)}, this command ${client.version}: update the older one`);
    },
  });
  try {
    await work(client, url.replace(/\/+$/u, ''), found.socketPath !== undefined);
  } catch (error) {
    throw failureOf(error, url, env);
  } finally {
    await client.close();
  }
}

/** Where a command goes and as whom. @throws CommandFailure when no relay runs here and none was named: nothing is sent then. */
async function wayTo({ url: named, token, db }: RelayOptions, env: Terminal['env']): Promise<FoundRelay> {
  // An empty setting is none.
  const url = named === '' ? undefined : named;
  if (!(token ?? env['AGENT_RELAY_TOKEN'])) assertPersonsShell(env);
  const isWhole = url !== undefined && token !== undefined;
  const databasePath = isWhole ? '' : ownDatabasePath({ db }, env);
  try {
    if (isWhole) return await findRelay({ env, url, token });
    return await findRelay({ env, databasePath, ...(url === undefined ? {} : { url }), ...(token === undefined ? {} : { token }) });
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    if (error.code === 'validation_failed') throw new CommandFailure(`error: ${error.message}`, 2);
    if (error.code !== 'connection_closed') throw error;
    const where = error.details?.['url'];
    throw typeof where === 'string'
      ? noAnswer(where, env)
      : new CommandFailure(`error: no relay serves ${databasePath}; start one with: ${startCommand(env)}, or name another with --url`, 3);
  }
}

/** What coding agents set in the shells they run commands in. */
const agentShells = { CODEX_THREAD_ID: 'Codex', CLAUDECODE: 'Claude Code' } as const;

/**
 * Without a token a command speaks as the owner. A shell that an agent runs is no person's: what the agent decides must not look like their word.
 * @throws CommandFailure there.
 */
function assertPersonsShell(env: Terminal['env']): void {
  for (const [variable, name] of Object.entries(agentShells)) {
    if (!env[variable]) continue;
    const words = `this shell is ${name}'s (${variable} is set) and has no token of its session; as the owner only a person speaks, from a terminal of their own`;
    throw new CommandFailure(
      `error: ${words}\nUse the relay's tools of the session, or give a token with --token or AGENT_RELAY_TOKEN.`,
      1,
    );
  }
}

/**
 * The database of this machine's relay: `--db`, else what the environment or the env file says. Other programs pass over what they do not
 * know in the env file (`findRelay`); these commands are the relay's own and refuse a misspelt setting.
 * @throws what `readEnvFile` throws.
 */
export function ownDatabasePath({ db }: { readonly db?: string | undefined }, env: Terminal['env']): string {
  readEnvFile(envFilePathOf(env));
  return localDatabasePath(db === undefined ? env : { ...env, DB_PATH: db });
}

const whereTokensAre = "Give one with --token or AGENT_RELAY_TOKEN; of a relay on this machine, --db (or DB_PATH) finds the owner's.";

const noAnswer = (url: string, env: Terminal['env']): CommandFailure =>
  new CommandFailure(`error: no relay answers at ${url}; start one with: ${startCommand(env)}`, 3);

function failureOf(error: unknown, url: string, env: Terminal['env']): unknown {
  if (!(error instanceof RelayError)) return error;
  if (error.code === 'connection_closed') {
    return noAnswer(url, env);
  }
  const { candidates } = detailsOf(error, 'ambiguous_target') ?? {};
  const choice = candidates ? `; one of: ${candidates.join(', ')}` : '';
  const { pairId } = detailsOf(error, 'busy') ?? {};
  const wayOut = pairId ? `; ${programName(env)} pair hangup ${pairId} ends it` : '';
  const hint = error.code === 'unauthorized' ? `\n${whereTokensAre}` : '';
  return new CommandFailure(`error: ${error.message}${choice}${wayOut} (${error.code})${hint}`, 1);
}
