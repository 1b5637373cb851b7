import { expect, test } from 'vitest';
import { hasLogin, hasLoginHeader, lacksLogin, settingsEnvironment } from './login.ts';

test('neither a token nor a key is no login', () => {
  expect(lacksLogin({ response: { account: { tokenSource: 'none', apiProvider: 'firstParty' } } })).toBe(true);
});

// As 2.1.120 and 2.1.329 answered them.
test.each([
  { tokenSource: 'none', apiKeySource: 'ANTHROPIC_API_KEY', apiProvider: 'firstParty' },
  { tokenSource: 'apiKeyHelper', apiProvider: 'firstParty' },
  { tokenSource: 'ANTHROPIC_AUTH_TOKEN', apiProvider: 'firstParty' },
  { tokenSource: 'CLAUDE_CODE_OAUTH_TOKEN', apiProvider: 'firstParty' },
  { subscriptionType: 'Claude Max', apiProvider: 'firstParty' },
  { apiProvider: 'bedrock' },
  {},
  undefined,
  { tokenSource: 7, apiProvider: 'firstParty' },
])('%j is taken for a login', (account) => {
  expect(lacksLogin({ response: { account } })).toBe(false);
});

test('a header of the gateway is a login, wherever it is set', () => {
  expect(hasLoginHeader({ ANTHROPIC_CUSTOM_HEADERS: 'X-Team: a\nauthorization: Bearer x' })).toBe(true);
  expect(hasLoginHeader(settingsEnvironment({ effective: { env: { ANTHROPIC_CUSTOM_HEADERS: 'x-api-key: k' } } }))).toBe(true);
  for (const env of [{}, { ANTHROPIC_CUSTOM_HEADERS: 'X-Authorization-Hint: no' }, settingsEnvironment(null)])
    expect(hasLoginHeader(env)).toBe(false);
});

test('a key, a token or a header in the environment is a login, and an empty one is none', () => {
  for (const name of ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']) {
    expect([hasLogin({ [name]: 'k' }), hasLogin({ [name]: '' })]).toEqual([true, false]);
  }
  expect([hasLogin({ ANTHROPIC_CUSTOM_HEADERS: 'x-api-key: k' }), hasLogin({ PATH: '/bin' })]).toEqual([true, false]);
});
