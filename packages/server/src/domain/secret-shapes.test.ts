import { expect, test } from 'vitest';
import { secretShapes, withoutSecretShapes } from './secret-shapes.ts';

const hidden = '[a secret, hidden]';
const letters = 'AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9';
const key = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6';
const pem = ['-----BEGIN RSA PRIVATE KEY-----', 'MIIEpAIBAAKCAQEA1', 'k2Zq', '-----END RSA PRIVATE KEY-----'].join('\n');

const behindEscapes = ['\\n', '\\t', '\\\\n', '%20', '%3D', '\\u001b[32m', '\\x1b[1;31m', '\\033[0m', '\u001b[01;31m\u001b[K'].map(
  (before) => (text: string) => `said:${before}${text}`,
);

test.each([
  ['a bot of Telegram', `123456789:${letters}`],
  ['a token of Anthropic', `sk-ant-api03-${key}`],
  ['a key of OpenAI', `sk-proj-${key}`],
  ['an older one', `sk-${key}`],
  ['a token of GitHub', `ghp_${key}abcd`],
  ['a fine one of GitHub', `github_pat_11ABCDEFG0${key}`],
  ['a key of Google', `AIzaSy${key}z`],
  ['a key of Amazon', 'AKIAIOSFODNN7EXAMPLE'],
  ['a token of Slack', 'xoxb-1234567890-abcdefghij'],
  ['a secret of a webhook', `whsec_${key}`],
  ['signed claims', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${key}`],
  ['a private key', pem],
  ['the beginning of one', pem.slice(0, 40)],
])('%s is hidden, wherever it stands', (_what, secret) => {
  for (const around of [
    (text: string) => `use ${text} here`,
    (text: string) => `KEY='${text}'`,
    (text: string) => `["${text}"]`,
    ...behindEscapes,
  ]) {
    const shown = withoutSecretShapes(around(secret));
    expect(shown).not.toContain(secret.slice(0, 12));
    expect(shown).toContain(hidden);
  }
});

test.each([
  [`https://api.telegram.org/bot123456789:${letters}/getMe`, `https://api.telegram.org/bot${hidden}/getMe`],
  [`bot123456789%3A${letters}`, `bot${hidden}`],
  [`123456789:${letters.slice(0, 30)}… [9 more characters were cut]`, `${hidden}… [9 more characters were cut]`],
  [`Authorization: Bearer ${key}`, `Authorization: Bearer ${hidden}`],
  [`secret: ${key}`, `secret: ${hidden}`],
  [`AGENT_RELAY_WEBHOOK_SECRET=${key} run`, `AGENT_RELAY_WEBHOOK_SECRET=${hidden} run`],
  [JSON.stringify(JSON.stringify({ apiKey: key })), JSON.stringify(JSON.stringify({ apiKey: hidden }))],
  [JSON.stringify(JSON.stringify(JSON.stringify({ apiKey: key }))), JSON.stringify(JSON.stringify(JSON.stringify({ apiKey: hidden })))],
  [`agent --token ${key} --port 80`, `agent --token ${hidden} --port 80`],
  [`agent --my-own-token=${key}`, `agent --my-own-token=${hidden}`],
  [`agent --token-key '${key}'`, `agent --token-key '${hidden}'`],
  ['postgres://app:hunter2@db/app', `postgres://app:${hidden}@db/app`],
])('of %j what it is stays, and the secret goes', (text, shown) => {
  expect(withoutSecretShapes(text)).toBe(shown);
});

test.each([
  'const token: string = readToken(secretFile);',
  'password = await askForPassword(terminal)',
  'sk-circle-bounce-delay-animation is a class',
  'commit 3f786850e387550fdab836ed7e6dc881de23001b at 12:30:45',
  '-----BEGIN CERTIFICATE----- is public, a task-force too',
  'basic internationalization, and the bearer of news',
  'see https://example.org/docs:80/a@b',
  'max_tokens: 4096, secret santa',
])('%j is shown as it is', (text) => {
  expect(withoutSecretShapes(text)).toBe(text);
});

test('a long text costs what it is long, whatever it repeats', () => {
  const pieces = ['sk-', '-----BEGIN PRIVATE KEY-----', '--', 'token=', '1:', 'eyJ', '://a:', 'a'.repeat(600), 'Bearer ', 'eyJaaaaaaaa.'];
  for (const piece of pieces) expect(withoutSecretShapes(piece.repeat(400_000 / piece.length)).length).toBeGreaterThan(0);
});

/** What stands before the first thing that may take more than a few characters: where that begins, a text is looked at once more. */
function headOf({ source }: RegExp): RegExp {
  const long = [...source.matchAll(/(?:\[(?:\\.|[^\]\\])*\]|\\?.)\{\d+,?(\d*)\}/gu)].find(
    ({ 0: whole, 1: most = '' }) => Number(most || /\d+/u.exec(whole)?.[0]) > 16,
  );
  const before = source.slice(0, long?.index);
  const isWithin = before.lastIndexOf('(?<=') > before.lastIndexOf(')');
  const head = isWithin ? before.slice(0, before.lastIndexOf('(?<=')) : before;
  const open = head.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gu, '');
  return new RegExp(head + ')'.repeat(open.split('(').length - open.split(')').length), 'gu');
}

test('what fills a page begins nothing: a shape is looked at where its word stands, and nowhere else', () => {
  expect(secretShapes.map(headOf).map(({ source }) => source)).toContain(String.raw`(?<!\d)\d{6,12}(?::|%3[Aa])(?:)`);
  for (const fill of ['-', '--', '--a', '_', '=', '.', '/', ':', '0', 'a', 'ab-', ' ', '\\n', '%20', '[0m'])
    for (const shape of secretShapes) {
      const begun = [...fill.repeat(1_000).matchAll(headOf(shape))].length;
      expect([fill, shape.source, begun]).toEqual([fill, shape.source, 0]);
    }
});
