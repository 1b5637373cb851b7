import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RelayError } from 'agent-relay-protocol';
import { directoryMarketplace, pluginName } from './marketplace.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What Claude Code reads of a plugin, and what that runs. */
const pluginFiles = [
  '.claude-plugin',
  'hooks',
  'skills',
  'README.md',
  'LICENSE',
  'package.json',
  'dist/hook.js',
  'dist/hook',
  'dist/sidecar.js',
  'dist/sidecar',
];

/**
 * Where the installed plugin lies: Claude Code reads it there in place, so it must not be a folder that npx clears away. `XDG_DATA_HOME`, else
 * `~/.local/share`.
 */
export function stableFolder(env: Environment): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  return join(env['XDG_DATA_HOME'] || join(home, '.local', 'share'), 'agent-relay', 'claude-marketplace');
}

/** The plugin as this package brings it. @throws RelayError `unsupported` in a checkout that was not built. */
export function ownPluginFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, '.claude-plugin', 'plugin.json')) && folder !== dirname(folder)) folder = dirname(folder);
  if (!existsSync(join(folder, 'dist', 'sidecar.js'))) {
    throw new RelayError('unsupported', `The plugin in ${folder} is not built: npm run build`);
  }
  return folder;
}

/**
 * Puts marketplace and plugin into the folder, whole or not at all: what fails leaves the old. A session that starts meanwhile finds the old or the
 * new, but for the moment between two renames, for a folder that holds something cannot be renamed over.
 */
export function layOut(folder: string): void {
  const source = ownPluginFolder();
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true });
  const half = mkdtempSync(join(parent, 'half-'));
  try {
    for (const file of pluginFiles) {
      if (existsSync(join(source, file))) cpSync(join(source, file), join(half, pluginName, file), { recursive: true });
    }
    mkdirSync(join(half, '.claude-plugin'));
    writeFileSync(join(half, '.claude-plugin', 'marketplace.json'), `${JSON.stringify(directoryMarketplace, null, 2)}\n`);
    takePlace(half, folder);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    throw error;
  }
}

function takePlace(half: string, folder: string): void {
  const old = `${half}-old`;
  const hadOld = existsSync(folder);
  if (hadOld) renameSync(folder, old);
  try {
    renameSync(half, folder);
  } catch (error) {
    if (hadOld) renameSync(old, folder);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
}
