import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { readSettings, type SettingSources } from './settings.ts';

const token = '123456:AAbbCCddEEffGGhh';
const env = { TELEGRAM_BOT_TOKEN: token, TELEGRAM_ALLOWED_CHATS: '7, -1001234567890', XDG_STATE_HOME: '/state' };

function faultsOf(sources: SettingSources): RelayError {
  try {
    readSettings(sources);
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('the settings were taken');
}

test('a token and the chats are enough', () => {
  expect(readSettings({ env, flags: {} })).toEqual({
    botToken: token,
    allowedChats: new Set([7, -1001234567890]),
    approvalChats: new Set(),
    approvers: null,
    apiRoot: 'https://api.telegram.org',
    stateDir: '/state/agent-relay/telegram',
    relayUrl: 'http://127.0.0.1:4850',
    relayToken: undefined,
    channelId: 'telegram',
    logLevel: 'info',
  });
});

test('a flag wins over the environment, and an address loses its last slash', () => {
  const flags = { TELEGRAM_ALLOWED_CHATS: '9', AGENT_RELAY_URL: 'https://relay.example/' };
  expect(readSettings({ env: { ...env, AGENT_RELAY_URL: 'http://x' }, flags })).toMatchObject({
    allowedChats: new Set([9]),
    relayUrl: 'https://relay.example',
  });
});

test('all faults are named together, without the tokens', () => {
  const secret = 'not-a-token-but-secret';
  const faults = faultsOf({
    env: {
      TELEGRAM_BOT_TOKEN: secret,
      TELEGRAM_ALLOWED_CHATS: '@team',
      TELEGRAM_APPROVERS: 'ann',
      AGENT_RELAY_URL: 'relay',
      AGENT_RELAY_LOG: 'loud',
    },
    flags: {},
  });
  expect(faults.issues?.map(({ path }) => path)).toEqual([
    'TELEGRAM_BOT_TOKEN',
    'TELEGRAM_ALLOWED_CHATS',
    'TELEGRAM_APPROVERS',
    'AGENT_RELAY_URL',
    'AGENT_RELAY_LOG',
  ]);
  expect(faults.message).not.toContain(secret);
});

test('an empty allow-list is refused in words that say how to find a chat id', () => {
  expect(faultsOf({ env: { TELEGRAM_BOT_TOKEN: token }, flags: {} }).issues).toEqual([
    { path: 'TELEGRAM_ALLOWED_CHATS', message: expect.stringMatching(/find a chat's id.*write to the bot/u) },
  ]);
});

test('approvals cannot go to a chat that is not allowed', () => {
  expect(faultsOf({ env: { ...env, TELEGRAM_APPROVAL_CHATS: '7,8' }, flags: {} }).issues).toEqual([
    { path: 'TELEGRAM_APPROVAL_CHATS', message: '8 is not among TELEGRAM_ALLOWED_CHATS' },
  ]);
});

test('tokens may come from files, and a file that cannot be read is named once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'telegram-settings-'));
  try {
    const file = join(folder, 'token');
    writeFileSync(file, `${token}\n`);
    const files = { ...env, TELEGRAM_BOT_TOKEN: undefined, TELEGRAM_BOT_TOKEN_FILE: file };
    expect(readSettings({ env: files, flags: {} }).botToken).toBe(token);
    expect(faultsOf({ env: files, flags: { TELEGRAM_BOT_TOKEN_FILE: join(folder, 'none') } }).issues).toEqual([
      { path: 'TELEGRAM_BOT_TOKEN_FILE', message: expect.stringContaining('cannot be read') },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
