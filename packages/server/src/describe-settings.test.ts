import { routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { readConfig, settingNames } from './config.ts';
import { describeSettings } from './describe-settings.ts';

const secrets = ['the-token-of-the-owner', 'the-token-of-ci', 'the-callback-secret', 'the-hook-of-ci'];
const [token, ciToken, callbackSecret, hook] = secrets;
const config = readConfig({
  env: { HOST: '127.0.0.1', AGENT_RELAY_TOKEN: token, AGENT_RELAY_CORS_ORIGINS: 'https://a.example,https://b.example' },
  envFile: {
    HOST: '::1',
    RETENTION_DAYS: '7',
    AGENT_RELAY_INTEGRATIONS: JSON.stringify([{ name: 'ci', token: ciToken, callbackUrl: `https://ci.example/${hook}`, callbackSecret }]),
  },
  envFilePath: '/etc/agent-relay.env',
  flags: { PORT: '1', DB_PATH: '/a/b.db' },
});

test('every setting is told with where its value comes from, in the shape of the wire', () => {
  const described = describeSettings(config);
  expect(routes['system/settings'].output.parse(described)).toEqual(described);
  expect(described.settings.map(({ name }) => name)).toEqual(settingNames);
  expect(described.envFile).toBe('/etc/agent-relay.env');
  expect(described.settings).toEqual(
    expect.arrayContaining([
      { name: 'PORT', value: 1, isSecret: false, source: 'flag' },
      { name: 'HOST', value: '127.0.0.1', isSecret: false, source: 'environment' },
      { name: 'RETENTION_DAYS', value: 7, isSecret: false, source: 'env file' },
      { name: 'STALE_TTL_MS', value: 120_000, isSecret: false, source: 'default' },
      { name: 'AGENT_RELAY_CORS_ORIGINS', value: ['https://a.example', 'https://b.example'], isSecret: false, source: 'environment' },
    ]),
  );
});

test('of secrets it is told that they are set, and nothing of them', () => {
  const described = describeSettings(config);
  expect(described.settings).toContainEqual({ name: 'AGENT_RELAY_TOKEN', value: null, isSecret: true, source: 'environment' });
  expect(described.settings).toContainEqual({ name: 'AGENT_RELAY_INTEGRATIONS', value: ['ci'], isSecret: false, source: 'env file' });
  expect(secrets.filter((secret) => JSON.stringify(described).includes(secret))).toEqual([]);
  const without = describeSettings(readConfig({ env: { HOME: '/home/ada' }, flags: {} }));
  expect(without.settings).toContainEqual({ name: 'AGENT_RELAY_TOKEN', value: null, isSecret: true, source: 'default' });
});
