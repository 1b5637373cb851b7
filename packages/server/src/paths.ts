import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/*
 * Where a relay keeps what. Everything lies beside its database, so that whoever knows the database (the server, our own commands, the
 * local node, the tests) finds the rest. Nothing here opens it.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** One place for all folders a command may be called from: `~/.local/state/agent-relay/agent-relay.db`, or where the system keeps such things. */
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

/** Where Node keeps our compiled code: `~/.cache/agent-relay/compiled`, or the system's place. May go at any time. */
export function compileCacheFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const cacheHome = env['XDG_CACHE_HOME'] || (platform === 'win32' && env['LOCALAPPDATA']) || join(home, '.cache');
  return join(cacheHome, 'agent-relay', 'compiled');
}

/** `DB_PATH`, else the default; relative ones from the working folder. */
export const databasePathOf = (env: Environment): string => resolve(env['DB_PATH'] || defaultDatabasePath(env));

export const ownerTokenPath = (databasePath: string): string => `${databasePath}.owner-token`;
/** Where the relay's own commands and node reach it, beside its port. */
export const relaySocketPath = (databasePath: string): string => `${databasePath}.sock`;
export const runningRelayPath = (databasePath: string): string => `${databasePath}.relay.json`;
export const localNodePath = (databasePath: string): string => `${databasePath}.node.json`;
export const localNodeLogPath = (databasePath: string): string => `${databasePath}.node.log`;
export const localNodeStateFolder = (databasePath: string): string => `${databasePath}.node`;
