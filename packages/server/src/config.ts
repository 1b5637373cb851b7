import { resolve } from 'node:path';
import { type FieldIssue, RelayError, type SandboxRequest, SandboxRequestSchema, type Setting } from 'agent-relay-protocol';
import { defaultDatabasePath, hooksFileOf, isLoopbackHost } from 'agent-relay-wire/node';
import { z } from 'zod';
import type { GuardLimits } from './domain/loop-guard.ts';
import type { SpawnLimits } from './domain/spawn-rules.ts';
import {
  IntegrationsSettingSchema,
  literalAddressOf,
  type PrivateCallbacks,
  PrivateCallbacksSettingSchema,
} from './integrations-config.ts';
import { createAddressGuard } from './outbound/address-guard.ts';
import { hashOfToken, type IntegrationSettings } from './relay/contract/integration-settings.ts';
import { defaultSettings } from './relay/contract/relay-settings.ts';

const wholeNumber = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,16}$/u, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const flag = z.enum(['0', '1', 'false', 'true', '']).transform((text) => text === '1' || text === 'true');

/** Every setting, under the name of its environment variable: one line each. */
const SettingsSchema = z.object({
  PORT: wholeNumber(0, 65_535).default(4850),
  HOST: z.string().min(1).default('127.0.0.1'),
  DB_PATH: z.string().min(1).optional(),
  STALE_TTL_MS: wholeNumber(1).default(120_000),
  OFFLINE_PRUNE_MS: wholeNumber(1).default(86_400_000),
  REAP_INTERVAL_MS: wholeNumber(10).default(60_000),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(30),
  AGENT_RELAY_ACTIVITY_DAYS: wholeNumber(1, 36_500).optional(),
  AGENT_RELAY_APPROVAL_DAYS: wholeNumber(1, 36_500).optional(),
  AGENT_RELAY_USAGE_DAYS: wholeNumber(1, 36_500).default(400),
  AGENT_RELAY_AUDIT_DAYS: wholeNumber(1, 36_500).default(400),
  AGENT_RELAY_TOKEN: z
    .string()
    .regex(/^\S{16,512}$/u, 'must be 16 to 512 characters without spaces')
    .optional(),
  AGENT_RELAY_CORS_ORIGINS: list
    .pipe(z.array(z.string().regex(/^(?:\*|https?:\/\/[^/\s]+)$/u, 'must be origins such as https://board.example, or *')))
    .default([]),
  AGENT_RELAY_ALLOWED_HOSTS: list.default([]),
  AGENT_RELAY_ALLOW_UNAUTH: flag.default(false),
  AGENT_RELAY_REQUIRE_TOKEN: flag.optional(),
  AGENT_RELAY_LOCAL_NODE: flag.default(true),
  AGENT_RELAY_APPROVAL_TIMEOUT: wholeNumber(1, 86_400).default(600),
  AGENT_RELAY_AGENT_ENV: list
    .pipe(z.array(z.string().regex(/^[A-Za-z_]\w*\*?$/u, 'must be names of variables such as MY_TOKEN, or beginnings such as AWS_*')))
    .default([]),
  AGENT_RELAY_SANDBOX: SandboxRequestSchema.default('none'),
  AGENT_RELAY_INTEGRATIONS: IntegrationsSettingSchema.default([]),
  AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: wholeNumber(1).default(120),
  AGENT_RELAY_HOOKS: z.string().min(1).optional(),
  AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: PrivateCallbacksSettingSchema.default([]),
  AGENT_RELAY_HOP_LIMIT: wholeNumber(0).default(defaultSettings.guard.hops),
  AGENT_RELAY_PAIR_RATE_PER_MINUTE: wholeNumber(0).default(defaultSettings.guard.pairPerMinute),
  AGENT_RELAY_THREAD_RATE_PER_MINUTE: wholeNumber(0).default(defaultSettings.guard.threadPerMinute),
  AGENT_RELAY_REPEAT_LIMIT: wholeNumber(0).default(defaultSettings.guard.repeats),
  AGENT_RELAY_TOKEN_BUDGET_PER_HOUR: wholeNumber(0).default(defaultSettings.guard.tokensPerHour),
  AGENT_RELAY_SPAWN_DEPTH: wholeNumber(0).default(defaultSettings.spawn.depth),
  AGENT_RELAY_SPAWN_CHILDREN: wholeNumber(0).default(defaultSettings.spawn.children),
  AGENT_RELAY_LOG: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
});
type Settings = z.output<typeof SettingsSchema>;
export type SettingName = keyof Settings;

export const settingNames = Object.keys(SettingsSchema.shape) as readonly SettingName[]; // the keys of the shape are the names

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly databasePath: string;
  readonly staleTtlMs: number;
  readonly offlinePruneMs: number;
  readonly reapIntervalMs: number;
  readonly retentionDays: number;
  /** Of what agents did, of what they asked, of what they used, and of who did what. */
  readonly activityDays: number;
  readonly approvalDays: number;
  readonly usageDays: number;
  readonly auditDays: number;
  /** A token beside the credential file that speaks for the owner. */
  readonly token: string | null;
  readonly corsOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly allowUnauthenticated: boolean;
  /** Whether programs of this machine need a token as well. */
  readonly requireToken: boolean;
  readonly localNode: boolean;
  /** How long an agent of this machine waits for a person before it takes the silence for a no. */
  readonly approvalTimeoutSeconds: number;
  /** Variables that the agents of this machine get beside what every program needs and what their provider names. */
  readonly agentEnvironment: readonly string[];
  /** What the agents of this machine are put in at least. */
  readonly sandbox: SandboxRequest;
  /** The systems outside that may create work. */
  readonly integrations: readonly IntegrationSettings[];
  readonly integrationRateLimitPerMinute: number;
  /** `agent-relay.yaml`: what the relay and its own machine do when something happens. */
  readonly hooksFile: string;
  /** What agents may do among themselves before a person is asked. */
  readonly guard: GuardLimits;
  readonly spawn: SpawnLimits;
  /** The hosts and networks that callbacks may reach although they are private. */
  readonly privateCallbacks: PrivateCallbacks;
  readonly logLevel: Settings['AGENT_RELAY_LOG'];
  /** Where each setting's value comes from, and the file of settings that was read. */
  readonly sources: Readonly<Record<SettingName, SettingSource>>;
  readonly envFilePath: string | null;
}

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the managed env file says; it gives way to the environment. */
  readonly envFile?: Partial<Readonly<Record<SettingName, string>>>;
  readonly envFilePath?: string | null;
  /** What the command line said, under the same names; it wins. */
  readonly flags: Partial<Readonly<Record<SettingName, string>>>;
}

/**
 * The effective configuration.
 * @throws RelayError `validation_failed` that names every fault at once.
 */
export function readConfig(sources: ConfigSources): Config {
  const { env, flags, envFile = {} } = sources;
  const given = Object.fromEntries(settingNames.map((name) => [name, flags[name] ?? presentIn(env, name) ?? presentIn(envFile, name)]));
  const parsed = SettingsSchema.safeParse(given);
  if (!parsed.success) throw faults(parsed.error.issues.map(({ path, message }) => ({ path: pathOf(path), message })));
  const config = toConfig(parsed.data, sources);
  const disagreements = disagreementsOf(config);
  if (disagreements.length > 0) throw faults(disagreements);
  return config;
}

export type SettingSource = Setting['source'];

function sourceOf(name: SettingName, { env, flags, envFile = {} }: ConfigSources): SettingSource {
  if (flags[name] !== undefined) return 'flag';
  if (presentIn(env, name) !== undefined) return 'environment';
  return presentIn(envFile, name) === undefined ? 'default' : 'env file';
}

/** An empty variable is how shells and service files say that it is not set. */
const presentIn = (env: ConfigSources['env'], name: SettingName): string | undefined => env[name] || undefined;

function toConfig(settings: Settings, sources: ConfigSources): Config {
  const { env, envFilePath = null } = sources;
  return {
    port: settings.PORT,
    host: settings.HOST,
    databasePath: resolve(settings.DB_PATH ?? defaultDatabasePath(env)),
    staleTtlMs: settings.STALE_TTL_MS,
    offlinePruneMs: settings.OFFLINE_PRUNE_MS,
    reapIntervalMs: settings.REAP_INTERVAL_MS,
    retentionDays: settings.RETENTION_DAYS,
    activityDays: settings.AGENT_RELAY_ACTIVITY_DAYS ?? settings.RETENTION_DAYS,
    approvalDays: settings.AGENT_RELAY_APPROVAL_DAYS ?? settings.RETENTION_DAYS,
    usageDays: settings.AGENT_RELAY_USAGE_DAYS,
    auditDays: settings.AGENT_RELAY_AUDIT_DAYS,
    token: settings.AGENT_RELAY_TOKEN ?? null,
    corsOrigins: settings.AGENT_RELAY_CORS_ORIGINS,
    allowedHosts: settings.AGENT_RELAY_ALLOWED_HOSTS,
    allowUnauthenticated: settings.AGENT_RELAY_ALLOW_UNAUTH,
    requireToken: settings.AGENT_RELAY_REQUIRE_TOKEN ?? isMeantForOthers(settings),
    localNode: settings.AGENT_RELAY_LOCAL_NODE,
    approvalTimeoutSeconds: settings.AGENT_RELAY_APPROVAL_TIMEOUT,
    agentEnvironment: settings.AGENT_RELAY_AGENT_ENV,
    sandbox: settings.AGENT_RELAY_SANDBOX,
    integrations: settings.AGENT_RELAY_INTEGRATIONS,
    hooksFile: settings.AGENT_RELAY_HOOKS === undefined ? hooksFileOf(env) : resolve(settings.AGENT_RELAY_HOOKS),
    integrationRateLimitPerMinute: settings.AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE,
    spawn: { depth: settings.AGENT_RELAY_SPAWN_DEPTH, children: settings.AGENT_RELAY_SPAWN_CHILDREN },
    guard: {
      hops: settings.AGENT_RELAY_HOP_LIMIT,
      pairPerMinute: settings.AGENT_RELAY_PAIR_RATE_PER_MINUTE,
      threadPerMinute: settings.AGENT_RELAY_THREAD_RATE_PER_MINUTE,
      repeats: settings.AGENT_RELAY_REPEAT_LIMIT,
      tokensPerHour: settings.AGENT_RELAY_TOKEN_BUDGET_PER_HOUR,
    },
    privateCallbacks: settings.AGENT_RELAY_CALLBACK_ALLOW_PRIVATE,
    logLevel: settings.AGENT_RELAY_LOG,
    // One for each of the names, which are all there are.
    sources: Object.fromEntries(settingNames.map((name) => [name, sourceOf(name, sources)])) as Config['sources'],
    envFilePath,
  };
}

/** Whoever sets a token or a host name has others come, by a proxy on this machine perhaps: what it lets in looks as if it came from here. */
const isMeantForOthers = ({ AGENT_RELAY_TOKEN, AGENT_RELAY_ALLOWED_HOSTS, AGENT_RELAY_ALLOW_UNAUTH }: Settings): boolean =>
  AGENT_RELAY_TOKEN !== undefined || (AGENT_RELAY_ALLOWED_HOSTS.length > 0 && !AGENT_RELAY_ALLOW_UNAUTH);

/** The variable, and where in it; of a list of words the variable alone. */
const pathOf = ([name, ...inside]: readonly PropertyKey[]): string =>
  name === 'AGENT_RELAY_INTEGRATIONS' ? [name, ...inside].map(String).join('.') : String(name);

/** Settings that must agree with each other. */
function disagreementsOf({
  host,
  token,
  allowUnauthenticated,
  requireToken,
  staleTtlMs,
  reapIntervalMs,
  integrations,
  privateCallbacks,
}: Config): FieldIssue[] {
  const issues: FieldIssue[] = [];
  if (!isLoopbackHost(host) && token === null && !allowUnauthenticated) {
    issues.push({
      path: 'HOST',
      message: `${host} is reachable from other machines: set AGENT_RELAY_TOKEN, or AGENT_RELAY_ALLOW_UNAUTH=1`,
    });
  }
  if (requireToken && allowUnauthenticated && token === null) {
    issues.push({ path: 'AGENT_RELAY_REQUIRE_TOKEN', message: 'says the opposite of AGENT_RELAY_ALLOW_UNAUTH: keep one of them' });
  }
  if (reapIntervalMs > staleTtlMs * 10) {
    issues.push({
      path: 'REAP_INTERVAL_MS',
      message: 'is so long beside STALE_TTL_MS that agents would stay online for hours after their end',
    });
  }
  const guard = createAddressGuard(privateCallbacks);
  const ownHash = token === null ? null : hashOfToken(token);
  for (const [index, { callbackUrl, tokenHash }] of integrations.entries()) {
    const path = `AGENT_RELAY_INTEGRATIONS.${index}`;
    if (tokenHash === ownHash) issues.push({ path: `${path}.token`, message: "is AGENT_RELAY_TOKEN, which is the owner's" });
    const address = callbackUrl === null ? null : literalAddressOf(callbackUrl);
    if (address !== null && !guard.allows(address, address)) {
      issues.push({ path: `${path}.callbackUrl`, message: `${address} is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE` });
    }
  }
  return issues;
}

function faults(issues: readonly FieldIssue[]): RelayError {
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new RelayError('validation_failed', `The configuration is not valid: ${text}`, { issues });
}
