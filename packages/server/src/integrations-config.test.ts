import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const read = (integrations: unknown, more: Record<string, string> = {}) =>
  readConfig({
    env: { AGENT_RELAY_INTEGRATIONS: typeof integrations === 'string' ? integrations : JSON.stringify(integrations), ...more },
    flags: {},
  });
const refusal = (integrations: unknown, more: Record<string, string> = {}): string => {
  try {
    read(integrations, more);
    return 'none';
  } catch (error) {
    return String(error);
  }
};

const entry = { name: 'ops-monitor', token: 'ops-secret' };

test('a scope of before that opened nothing is no fault, and is not there', () => {
  expect(read([{ ...entry, scopes: ['system:write', 'tasks:read'] }]).integrations).toMatchObject([{ scopes: ['tasks:read'] }]);
});

test('an integration’s token is known by its hash alone, and an absent list narrows nothing', () => {
  const { integrations } = read([
    { ...entry, scopes: ['tasks:create'], targets: ['cap:ops'], callbackUrl: 'https://ops.example/callback' },
  ]);
  expect(integrations).toMatchObject([
    { name: 'ops-monitor', targets: ['cap:ops'], channels: null, callbackUrl: 'https://ops.example/callback' },
  ]);
  expect(JSON.stringify(integrations)).not.toContain('ops-secret');
});

test('every fault is named by its place, and no token is repeated', () => {
  const message = refusal([
    { name: 'owner', token: 'long-enough' },
    { name: 'a', token: 'short', scopes: ['no:such'], unknown: 1 },
    { name: 'b', token: 'long-enough', callbackUrl: 'ftp://x' },
  ]);
  for (const place of ['0.name', '1.token', '1.scopes.0', '1', '2.callbackUrl'])
    expect(message).toContain(`AGENT_RELAY_INTEGRATIONS.${place}: `);
  expect(message).not.toContain('long-enough');
  expect(refusal('[{')).toContain('AGENT_RELAY_INTEGRATIONS: must be a JSON array');
  expect(refusal([entry, { ...entry, name: 'other' }])).toContain('AGENT_RELAY_INTEGRATIONS.1.token: is used by another');
});

test('what would open a private network or give away the owner is refused at the start', () => {
  const to = (callbackUrl: string) => [{ ...entry, callbackUrl }];
  for (const address of ['http://127.0.0.1:9/x', 'http://0x7f.1/', 'http://[::1]/', 'http://169.254.169.254/latest']) {
    expect(refusal(to(address))).toContain('AGENT_RELAY_INTEGRATIONS.0.callbackUrl: ');
    expect(refusal(to(address), { AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '1' })).toBe('none');
  }
  expect(refusal(to('http://10.1.1.1/'), { AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '10.0.0.0/8,hooks.internal' })).toBe('none');
  expect(refusal([{ ...entry, token: 'a-token-of-sixteen' }], { AGENT_RELAY_TOKEN: 'a-token-of-sixteen' })).toContain(
    "which is the owner's",
  );
});
