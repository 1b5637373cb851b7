import { homedir } from 'node:os';
import { join } from 'node:path';

/*
 * Where a relay keeps what is its own alone, beside its database; what other programs find it by is in `wire/node`. This file is read before
 * our compiled code is found, so it imports none of ours.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Where Node keeps our compiled code: `~/.cache/agent-relay/compiled`, or the system's place. May go at any time. */
export function compileCacheFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const cacheHome = env['XDG_CACHE_HOME'] || (platform === 'win32' && env['LOCALAPPDATA']) || join(home, '.cache');
  return join(cacheHome, 'agent-relay', 'compiled');
}

/** Where the relay's own commands and node reach it, beside its port. */
export const relaySocketPath = (databasePath: string): string => `${databasePath}.sock`;
/** Made when a browser first asks to be told. */
export const pushKeyPath = (databasePath: string): string => `${databasePath}.push-key`;
export const localNodePath = (databasePath: string): string => `${databasePath}.node.json`;
export const localNodeLogPath = (databasePath: string): string => `${databasePath}.node.log`;
export const localNodeStateFolder = (databasePath: string): string => `${databasePath}.node`;
