import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { RelayError } from 'agent-relay-protocol';
import { isSameProcess, isSocketOfOwner } from 'agent-relay-wire/node';
import { Command, Option } from 'commander';
import { readEnvFile } from '../operations/env-file.ts';
import { readOwnerToken } from '../owner-token.ts';
import { databasePathOf, envFilePathOf, ownerTokenPath, runningRelayPath } from '../paths.ts';
import { lastRunningRelay } from '../running-relay.ts';
import { isLoopbackHost } from '../transports/request-guard.ts';
import { programName } from './program-name.ts';
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
  const { url, token, socketPath } = await wayTo(options, env);
  const client = createNodeRelayClient({
    url,
    ...(token === null ? {} : { token }),
    ...(socketPath === null ? {} : { socketPath }),
    onVersion: ({ relay, client, matches }) => {
      if (!matches)
        note(`warning: the relay at ${url} is version ${oneLine(relay.version, 40)}, this command ${client.version}: update the older one`);
    },
  });
  try {
    await work(client, url.replace(/\/+$/u, ''));
  } catch (error) {
    throw failureOf(error, url, programName(env));
  } finally {
    await client.close();
  }
}

interface Way {
  readonly url: string;
  readonly token: string | null;
  /** The door of this user's own relay; `null`: the address itself. */
  readonly socketPath: string | null;
}

/**
 * Where a command goes and as whom. The owner's credential goes through the relay's own door only: whoever else listens on its port, by
 * mistake or not, is not shown it. A token that somebody gives goes where they say.
 * @throws CommandFailure when no relay runs here and none was named: nothing is sent then.
 */
async function wayTo({ url, token, db }: RelayOptions, env: Terminal['env']): Promise<Way> {
  if (url !== undefined && token !== undefined) return { url, token, socketPath: null };
  const databasePath = databasePathOf({ ...ownRelay(env), ...(db === undefined ? {} : { DB_PATH: db }) });
  const note = lastRunningRelay(runningRelayPath(databasePath));
  if (note === null || (url !== undefined && !isSameRelay(url, note.url))) {
    if (url !== undefined) return { url, token: null, socketPath: null };
    throw new CommandFailure(
      `error: no relay serves ${databasePath}; start one with: ${programName(env)} serve, or name another with --url`,
      3,
    );
  }
  const credentialPath = ownerTokenPath(databasePath);
  const credential = token ?? readOwnerToken(credentialPath);
  if (note.socket !== null && isSocketOfOwner(note.socket, credentialPath)) {
    return { url: note.url, token: credential, socketPath: note.socket };
  }
  if (await isSameProcess(note)) return { url: note.url, token: token ?? null, socketPath: null };
  throw new CommandFailure(`error: no relay answers at ${note.url}; start one with: ${programName(env)} serve`, 3);
}

/** Two names of this machine with one port are one relay. */
function isSameRelay(asked: string, own: string): boolean {
  if (!URL.canParse(asked)) return false;
  const [left, right] = [new URL(asked), new URL(own)];
  const sameHost = left.hostname === right.hostname || (isLoopbackHost(left.hostname) && isLoopbackHost(right.hostname));
  return sameHost && left.port === right.port && left.protocol === right.protocol;
}

/** The environment, with the database that the env file gives this machine's relay where it gives none itself. */
export function ownRelay(env: Terminal['env']): Terminal['env'] {
  const { DB_PATH } = readEnvFile(envFilePathOf(env))?.values ?? {};
  return { ...env, DB_PATH: env['DB_PATH'] || DB_PATH };
}

const whereTokensAre = "Give one with --token or AGENT_RELAY_TOKEN; of a relay on this machine, --db (or DB_PATH) finds the owner's.";

function failureOf(error: unknown, url: string, program: string): unknown {
  if (!(error instanceof RelayError)) return error;
  if (error.code === 'connection_closed') {
    return new CommandFailure(`error: no relay answers at ${url}; start one with: ${program} serve`, 3);
  }
  const candidates = error.details?.['candidates'];
  const choice = Array.isArray(candidates) ? `; one of: ${candidates.map(String).join(', ')}` : '';
  const hint = error.code === 'unauthorized' ? `\n${whereTokensAre}` : '';
  return new CommandFailure(`error: ${error.message}${choice} (${error.code})${hint}`, 1);
}
