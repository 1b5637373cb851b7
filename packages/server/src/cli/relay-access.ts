import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { Command, Option } from 'commander';
import { readEnvFile } from '../operations/env-file.ts';
import { readOwnerToken } from '../owner-token.ts';
import { databasePathOf, envFilePathOf, ownerTokenPath, runningRelayPath } from '../paths.ts';
import { readRunningRelay } from '../running-relay.ts';
import { isLoopbackHost } from '../transports/request-guard.ts';
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
    .addOption(new Option('--token <token>', "token to use (default: the owner's, when the relay runs here)").env('AGENT_RELAY_TOKEN'))
    .addOption(new Option('--db <path>', 'database of the relay that runs here, to find it by').env('DB_PATH'));
}

/** A failed command: one sentence for the person, one exit code for scripts. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

/** Runs a command's work with a client, and says in one sentence what went wrong. @throws CommandFailure. */
export async function withRelay(
  options: RelayOptions,
  { env, note }: Pick<Terminal, 'env' | 'note'>,
  work: (client: RelayClient, url: string) => Promise<void>,
): Promise<void> {
  const own = { ...ownRelay(env), ...(options.db === undefined ? {} : { DB_PATH: options.db }) };
  const databasePath = databasePathOf(own);
  const url = options.url ?? (await urlOf(databasePath, own));
  const token = options.token ?? ownToken(url, databasePath);
  const client = createNodeRelayClient({
    url,
    ...(token === null ? {} : { token }),
    onVersion: ({ relay, client, matches }) => {
      if (!matches)
        note(`warning: the relay at ${url} is version ${oneLine(relay.version, 40)}, this command ${client.version}: update the older one`);
    },
  });
  try {
    await work(client, url.replace(/\/+$/u, ''));
  } catch (error) {
    throw failureOf(error, url);
  } finally {
    await client.close();
  }
}

/** The environment, with the database and the port that the env file gives this machine's relay where it gives none itself. */
export function ownRelay(env: Terminal['env']): Terminal['env'] {
  const { DB_PATH, PORT } = readEnvFile(envFilePathOf(env))?.values ?? {};
  return { ...env, DB_PATH: env['DB_PATH'] || DB_PATH, PORT: env['PORT'] || PORT };
}

async function urlOf(databasePath: string, env: Terminal['env']): Promise<string> {
  const running = await readRunningRelay(runningRelayPath(databasePath));
  return running?.url ?? `http://127.0.0.1:${env['PORT'] || '4850'}`;
}

/** The owner's credential opens this machine's relay and is not sent to any other. */
function ownToken(url: string, databasePath: string): string | null {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return isLoopbackHost(host) ? readOwnerToken(ownerTokenPath(databasePath)) : null;
}

const whereTokensAre = "Give one with --token or AGENT_RELAY_TOKEN; of a relay on this machine, --db (or DB_PATH) finds the owner's.";

function failureOf(error: unknown, url: string): unknown {
  if (!(error instanceof RelayError)) return error;
  if (error.code === 'connection_closed') {
    return new CommandFailure(`error: no relay answers at ${url}; start one with: agent-relay serve`, 3);
  }
  const candidates = error.details?.['candidates'];
  const choice = Array.isArray(candidates) ? `; one of: ${candidates.map(String).join(', ')}` : '';
  const hint = error.code === 'unauthorized' ? `\n${whereTokensAre}` : '';
  return new CommandFailure(`error: ${error.message}${choice} (${error.code})${hint}`, 1);
}
