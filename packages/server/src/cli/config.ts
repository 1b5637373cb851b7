import { asText, RelayError } from 'agent-relay-protocol';
import { Command } from 'commander';
import { readConfig, type SettingName, settingNames, sourceOf } from '../config.ts';
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
        const config = readConfig(sources);
        const values: Readonly<Record<SettingName, unknown>> = {
          PORT: config.port,
          HOST: config.host,
          DB_PATH: config.databasePath,
          STALE_TTL_MS: config.staleTtlMs,
          OFFLINE_PRUNE_MS: config.offlinePruneMs,
          REAP_INTERVAL_MS: config.reapIntervalMs,
          RETENTION_DAYS: config.retentionDays,
          AGENT_RELAY_ACTIVITY_DAYS: config.activityDays,
          AGENT_RELAY_APPROVAL_DAYS: config.approvalDays,
          AGENT_RELAY_USAGE_DAYS: config.usageDays,
          AGENT_RELAY_AUDIT_DAYS: config.auditDays,
          AGENT_RELAY_TOKEN: config.token === null ? '' : '(set)',
          AGENT_RELAY_CORS_ORIGINS: config.corsOrigins.join(','),
          AGENT_RELAY_ALLOWED_HOSTS: config.allowedHosts.join(','),
          AGENT_RELAY_ALLOW_UNAUTH: config.allowUnauthenticated,
          AGENT_RELAY_REQUIRE_TOKEN: config.requireToken,
          AGENT_RELAY_LOCAL_NODE: config.localNode,
          AGENT_RELAY_APPROVAL_TIMEOUT: config.approvalTimeoutSeconds,
          AGENT_RELAY_AGENT_ENV: config.agentEnvironment.join(','),
          AGENT_RELAY_SANDBOX: config.sandbox,
          AGENT_RELAY_INTEGRATIONS: config.integrations.map(({ name }) => name).join(','),
          AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: config.integrationRateLimitPerMinute,
          AGENT_RELAY_HOOKS: config.hooksFile,
          AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: config.privateCallbacks,
          AGENT_RELAY_HOP_LIMIT: config.guard.hops,
          AGENT_RELAY_PAIR_RATE_PER_MINUTE: config.guard.pairPerMinute,
          AGENT_RELAY_THREAD_RATE_PER_MINUTE: config.guard.threadPerMinute,
          AGENT_RELAY_REPEAT_LIMIT: config.guard.repeats,
          AGENT_RELAY_TOKEN_BUDGET_PER_HOUR: config.guard.tokensPerHour,
          AGENT_RELAY_SPAWN_DEPTH: config.spawn.depth,
          AGENT_RELAY_SPAWN_CHILDREN: config.spawn.children,
          AGENT_RELAY_LOG: config.logLevel,
        };
        const settings = settingNames.map((name) => ({ name, value: values[name], source: sourceOf(name, sources) }));
        if (json === true) return terminal.out(JSON.stringify({ envFile: sources.envFilePath, settings }, null, 2));
        for (const line of table(settings.map(({ name, value, source }) => [name, asText(value), source]))) terminal.out(line);
        if (sources.envFilePath !== null) terminal.note(`env file: ${sources.envFilePath}`);
      } catch (error) {
        throw error instanceof RelayError ? new CommandFailure(`error: ${error.message}`, 2) : error;
      }
    });
