import { RelayError } from 'agent-relay-protocol';
import { Command } from 'commander';
import { readConfig, type SettingName, settingNames, sourceOf } from '../config.ts';
import { CommandFailure } from './relay-access.ts';
import { type Terminal, table } from './terminal.ts';

export const configCommand = (terminal: Terminal): Command =>
  new Command('config').description('Print the effective settings of serve, and where each comes from').action(() => {
    const sources = { env: terminal.env, flags: {} };
    try {
      const config = readConfig(sources);
      const values: Readonly<Record<SettingName, unknown>> = {
        PORT: config.port,
        HOST: config.host,
        DB_PATH: config.databasePath,
        STALE_TTL_MS: config.staleTtlMs,
        OFFLINE_PRUNE_MS: config.offlinePruneMs,
        REAP_INTERVAL_MS: config.reapIntervalMs,
        RETENTION_DAYS: config.retentionDays,
        AGENT_RELAY_TOKEN: config.token === null ? '' : '(set)',
        AGENT_RELAY_CORS_ORIGINS: config.corsOrigins.join(','),
        AGENT_RELAY_ALLOWED_HOSTS: config.allowedHosts.join(','),
        AGENT_RELAY_ALLOW_UNAUTH: config.allowUnauthenticated,
        AGENT_RELAY_LOCAL_NODE: config.localNode,
        AGENT_RELAY_LOG: config.logLevel,
      };
      for (const line of table(settingNames.map((name) => [name, String(values[name]), sourceOf(name, sources)]))) terminal.out(line);
    } catch (error) {
      throw error instanceof RelayError ? new CommandFailure(`error: ${error.message}`, 2) : error;
    }
  });
