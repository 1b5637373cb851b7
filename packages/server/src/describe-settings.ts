import type { RouteOutput, Setting } from 'agent-relay-protocol';
import { type Config, type SettingName, settingNames } from './config.ts';

/** What a relay is started with, setting by setting. Of integrations the names alone are told, for the rest holds their tokens. */
export function describeSettings(config: Config): RouteOutput<'system/settings'> {
  const values: Readonly<Record<SettingName, Setting['value']>> = {
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
    AGENT_RELAY_TOKEN: null,
    AGENT_RELAY_CORS_ORIGINS: [...config.corsOrigins],
    AGENT_RELAY_ALLOWED_HOSTS: [...config.allowedHosts],
    AGENT_RELAY_ALLOW_UNAUTH: config.allowUnauthenticated,
    AGENT_RELAY_REQUIRE_TOKEN: config.requireToken,
    AGENT_RELAY_LOCAL_NODE: config.localNode,
    AGENT_RELAY_APPROVAL_TIMEOUT: config.approvalTimeoutSeconds,
    AGENT_RELAY_AGENT_ENV: [...config.agentEnvironment],
    AGENT_RELAY_SANDBOX: config.sandbox,
    AGENT_RELAY_INTEGRATIONS: config.integrations.map(({ name }) => name),
    AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: config.integrationRateLimitPerMinute,
    AGENT_RELAY_HOOKS: config.hooksFile,
    AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: config.privateCallbacks === 'all' ? 'all' : [...config.privateCallbacks],
    AGENT_RELAY_HOP_LIMIT: config.guard.hops,
    AGENT_RELAY_PAIR_RATE_PER_MINUTE: config.guard.pairPerMinute,
    AGENT_RELAY_THREAD_RATE_PER_MINUTE: config.guard.threadPerMinute,
    AGENT_RELAY_REPEAT_LIMIT: config.guard.repeats,
    AGENT_RELAY_TOKEN_BUDGET_PER_HOUR: config.guard.tokensPerHour,
    AGENT_RELAY_SPAWN_DEPTH: config.spawn.depth,
    AGENT_RELAY_SPAWN_CHILDREN: config.spawn.children,
    AGENT_RELAY_LOG: config.logLevel,
  };
  const settings = settingNames.map((name) => ({
    name,
    value: values[name],
    isSecret: name === 'AGENT_RELAY_TOKEN',
    source: config.sources[name],
  }));
  return { envFile: config.envFilePath, settings };
}
