import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { defaultDatabasePath, envFilePathOf } from 'agent-relay-wire/node';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { parseEnvFile, readEnvFile } from '../operations/env-file.ts';
import { refuseForeignFile, textOf, writeWhole } from '../operations/managed-file.ts';
import { planSetup } from '../operations/setup.ts';
import { type ConsentOptions, hasConsent } from './consent.ts';
import { programName } from './program-name.ts';
import { type Terminal, table } from './terminal.ts';

interface SetupOptions extends ConsentOptions {
  readonly host?: string;
  readonly port?: string;
  readonly db?: string;
  readonly settings?: string;
  readonly force?: boolean;
}

export const setupCommand = (terminal: Terminal): Command =>
  new Command('setup')
    .description('Write the settings of serve into a file: an address, a durable database, a new token')
    .option('--host <address>', 'address to listen on (default 127.0.0.1)')
    .option('--port <number>', 'port to listen on (default 4850)')
    .option('--db <path>', 'database file (default in ~/.local/state/agent-relay)')
    .option('--settings <path>', 'file to write (AGENT_RELAY_ENV_FILE, default ~/.config/agent-relay/agent-relay.env)')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would be written, and touch nothing')
    .option('--force', 'write a file anew that setup did not write')
    .action((options: SetupOptions) => setup(options, terminal));

async function setup(options: SetupOptions, terminal: Terminal): Promise<void> {
  const { env, cwd } = terminal;
  const path = envFilePathOf({ ...env, AGENT_RELAY_ENV_FILE: options.settings ?? env['AGENT_RELAY_ENV_FILE'] });
  const found = textOf(path);
  refuseForeignFile(path, found, options.force === true);
  const { text, changed, settings } = planSetup({
    wishes: { host: options.host, port: options.port, databasePath: options.db === undefined ? undefined : resolve(cwd, options.db) },
    existing: options.force === true ? null : found,
    defaultDatabasePath: defaultDatabasePath(env),
    newToken: `relay_${randomBytes(32).toString('base64url')}`,
  });
  // Whatever serve would refuse is refused here.
  readConfig({ env: { HOME: env['HOME'] }, flags: {}, envFile: parseEnvFile(text, path) });
  const isOpen = found !== null && readEnvFile(path)?.isOpenToOthers === true;
  terminal.out(`${path} (mode 0600)`);
  for (const line of table(settings.map(([name, shown]) => ['', name, shown, changed.includes(name) ? '' : 'as it is'])))
    terminal.out(line);
  if (changed.length === 0 && text === found && !isOpen) return terminal.out('It says that already.');
  if (!(await hasConsent(terminal, options))) return;
  writeWhole(path, text, 0o600);
  const name = programName(terminal.env);
  terminal.out(`Written. Next: ${name} serve, or ${name} daemon install --enable --start`);
}
