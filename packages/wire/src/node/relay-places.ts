import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';

/*
 * Where the relay of this user keeps what others find it by. Everything lies beside its database, so that whoever knows the database
 * (the relay, its commands, other programs of this user) finds the rest. Nothing here opens it.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** One place for all folders a program may be called from: `~/.local/state/agent-relay/agent-relay.db`, or where the system keeps such things. */
export function defaultDatabasePath(env: Environment, platform: NodeJS.Platform = process.platform): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const stateHome = env['XDG_STATE_HOME'] || (platform === 'win32' && env['LOCALAPPDATA']) || join(home, '.local', 'state');
  return join(stateHome, 'agent-relay', 'agent-relay.db');
}

/** Where `setup` writes and `serve` reads settings: `AGENT_RELAY_ENV_FILE`, else `~/.config/agent-relay/agent-relay.env`, or the system's place. */
export function envFilePathOf(env: Environment, platform: NodeJS.Platform = process.platform): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const configHome = env['XDG_CONFIG_HOME'] || (platform === 'win32' && env['APPDATA']) || join(home, '.config');
  return resolve(env['AGENT_RELAY_ENV_FILE'] || join(configHome, 'agent-relay', 'agent-relay.env'));
}

/** What this user's machine and relay do when something happens: `AGENT_RELAY_HOOKS`, else `~/.agent-relay/agent-relay.yaml`. */
export function hooksFileOf(env: Environment): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  return resolve(env['AGENT_RELAY_HOOKS'] || join(home, '.agent-relay', 'agent-relay.yaml'));
}

/** `DB_PATH`, else the default; relative ones from the working folder. */
export const databasePathOf = (env: Environment): string => resolve(env['DB_PATH'] || defaultDatabasePath(env));

export const ownerTokenPath = (databasePath: string): string => `${databasePath}.owner-token`;
export const runningRelayPath = (databasePath: string): string => `${databasePath}.relay.json`;

const RunningRelaySchema = z.object({
  url: z.string(),
  /** The door for programs of this user; `null` where the system gave it none. */
  socket: z.string().nullable(),
  pid: z.int().min(1),
  startedAt: z.string(),
});
/** Which process serves a database, and where. */
export type RunningRelay = z.infer<typeof RunningRelaySchema>;

/** What the last relay of this database said about itself, whether or not it still runs; `null` when there is no such note, or none of this shape. */
export function lastRunningRelay(path: string): RunningRelay | null {
  try {
    return RunningRelaySchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

/** The owner's credential; `null` when there is none. @throws RelayError `unauthorized` when it is there and cannot be read. */
export function readOwnerToken(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw new RelayError('unauthorized', `The owner's credential ${path} cannot be read: is the relay another user's?`, { cause });
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
