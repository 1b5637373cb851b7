import { describe, expect, test } from 'vitest';
import { readConfig, settingNames } from './config.ts';

const read = (env: Record<string, string>, flags: Parameters<typeof readConfig>[0]['flags'] = {}) => readConfig({ env, flags });

describe('the configuration', () => {
  test('without any setting is safe and complete', () => {
    expect(read({ HOME: '/home/ada' })).toEqual({
      port: 4850,
      hooksFile: '/home/ada/.agent-relay/agent-relay.yaml',
      host: '127.0.0.1',
      databasePath: '/home/ada/.local/state/agent-relay/agent-relay.db',
      staleTtlMs: 120_000,
      offlinePruneMs: 86_400_000,
      reapIntervalMs: 60_000,
      retentionDays: 30,
      activityDays: 30,
      approvalDays: 30,
      usageDays: 400,
      auditDays: 400,
      token: null,
      corsOrigins: [],
      guard: { hops: 100, pairPerMinute: 120, threadPerMinute: 240, repeats: 20, tokensPerHour: 0 },
      spawn: { depth: 5, children: 50 },
      allowedHosts: [],
      allowUnauthenticated: false,
      requireToken: false,
      localNode: true,
      approvalTimeoutSeconds: 600,
      agentEnvironment: [],
      sandbox: 'none',
      integrations: [],
      integrationRateLimitPerMinute: 120,
      privateCallbacks: [],
      logLevel: 'warn',
      sources: Object.fromEntries(settingNames.map((name) => [name, 'default'])),
      envFilePath: null,
    });
  });

  test.each([
    [{}, false],
    [{ AGENT_RELAY_TOKEN: 'a-token-of-sixteen' }, true],
    [{ AGENT_RELAY_ALLOWED_HOSTS: 'relay.example' }, true],
    [{ AGENT_RELAY_TOKEN: 'a-token-of-sixteen', AGENT_RELAY_REQUIRE_TOKEN: '0' }, false],
    [{ AGENT_RELAY_REQUIRE_TOKEN: '1' }, true],
    [{ AGENT_RELAY_ALLOWED_HOSTS: 'relay.example', AGENT_RELAY_ALLOW_UNAUTH: '1' }, false],
  ])('%o: programs of this machine need a token: %s', (env, expected) => {
    expect(read(env).requireToken).toBe(expected);
  });

  test('a flag wins over its variable, an empty variable is none', () => {
    const { port, host, databasePath } = read({ PORT: '1', HOST: '', DB_PATH: '/a/b.db' }, { PORT: '2' });
    expect([port, host, databasePath]).toEqual([2, '127.0.0.1', '/a/b.db']);
  });

  test('all faults are named together, and no value is repeated', () => {
    const env = { PORT: '99999', RETENTION_DAYS: 'x', AGENT_RELAY_TOKEN: 'short-secret', AGENT_RELAY_CORS_ORIGINS: 'board.example' };
    let message = '';
    try {
      read(env);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/PORT: .*RETENTION_DAYS: .*AGENT_RELAY_TOKEN: .*AGENT_RELAY_CORS_ORIGINS: /u);
    expect(message).not.toContain('short-secret');
  });

  test.each([
    [{ HOST: '0.0.0.0' }, true],
    [{ HOST: '192.168.1.5' }, true],
    [{ HOST: '0.0.0.0', AGENT_RELAY_TOKEN: 'a-token-of-sixteen' }, false],
    [{ HOST: '0.0.0.0', AGENT_RELAY_ALLOW_UNAUTH: '1' }, false],
    [{ HOST: '::1' }, false],
    [{ HOST: 'localhost' }, false],
  ] as const)('%o refuses to start: %s', (env, isRefused) => {
    const attempt = () => read({ ...env });
    if (isRefused) expect(attempt).toThrow(/AGENT_RELAY_TOKEN/u);
    else expect(attempt).not.toThrow();
  });
});
