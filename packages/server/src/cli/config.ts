import { RelayError, type Setting } from 'agent-relay-protocol';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { describeSettings } from '../describe-settings.ts';
import { CommandFailure } from './relay-access.ts';
import { settingSources } from './setting-sources.ts';
import { type Terminal, table } from './terminal.ts';

export const configCommand = (terminal: Terminal): Command =>
  new Command('config')
    .description('Print the effective settings of serve, and where each comes from')
    .option('--settings <path>', 'the file of settings to look at (AGENT_RELAY_ENV_FILE)')
    .option('--json', 'print JSON')
    .action(({ settings: envFile, json }: { readonly settings?: string; readonly json?: boolean }) => {
      try {
        const sources = settingSources(terminal, { flags: {}, envFile });
        const { envFile: path, settings } = describeSettings(readConfig(sources));
        const shown = settings.map(({ name, source, ...setting }) => ({ name, value: valueInWords({ ...setting, source }), source }));
        if (json === true) return terminal.out(JSON.stringify({ envFile: path, settings: shown }, null, 2));
        for (const line of table(shown.map(({ name, value, source }) => [name, String(value), source]))) terminal.out(line);
        if (path !== null) terminal.note(`env file: ${path}`);
      } catch (error) {
        throw error instanceof RelayError ? new CommandFailure(`error: ${error.message}`, 2) : error;
      }
    });

function valueInWords({ value, isSecret, source }: Omit<Setting, 'name'>): string | number | boolean {
  if (isSecret) return source === 'default' ? '' : '(set)';
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}
