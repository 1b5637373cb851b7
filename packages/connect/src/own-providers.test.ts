import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClaudeProvider } from 'agent-relay-claude';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withOwnProviders } from './own-providers.ts';

let home: string;
let env: Record<string, string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'own-providers-'));
  env = { HOME: home, PATH: home };
});
afterEach(() => rmSync(home, { recursive: true }));

function write(rows: unknown): void {
  mkdirSync(join(home, '.config', 'agent-relay'), { recursive: true });
  writeFileSync(join(home, '.config', 'agent-relay', 'providers.json'), typeof rows === 'string' ? rows : JSON.stringify(rows));
}

/** Each kind of agent with what it says of itself where its program is not there. */
const offered = async () =>
  Promise.all(withOwnProviders([new ClaudeProvider()], env).map(async (each) => [each.id, each.name, await each.detect(env)]));

test('a machine without a file has the providers that it was given', async () => {
  expect(await offered()).toEqual([['claude', 'Claude Code', { available: false, reason: expect.stringContaining('Claude Code') }]]);
});

test('a row of the file is a provider of its own, or comes in the place of the one that it is called after', async () => {
  write({
    mine: { protocol: 'acp', name: 'My agent', command: 'my-agent', args: ['--acp'], install: 'with `make install`' },
    claude: { protocol: 'acp' },
  });
  const missing = (reason: string) => ({ available: false, reason });
  expect(await offered()).toEqual([
    ['mine', 'My agent', missing('My agent is not installed on this machine; install it with `make install`')],
    [
      'claude',
      'Claude (ACP)',
      missing('Claude (ACP) is not installed on this machine; install it with `npm install -g @agentclientprotocol/claude-agent-acp`'),
    ],
  ]);
});

test.each([
  ['no JSON', '{', /it is no JSON/u],
  ['a command that is not said', { mine: { protocol: 'acp' } }, /mine\.command: say which program it is/u],
  ['a field that does not exist', { mine: { protocol: 'acp', command: 'x', comand: 'y' } }, /mine.*comand/u],
  ['a protocol that does not exist', { mine: { protocol: 'telepathy' } }, /mine\.protocol/u],
  ['an id that is none', { 'My Agent': { protocol: 'acp', command: 'x' } }, /My Agent/u],
])('%s is refused with the file and the place', (_title, rows, fault) => {
  write(rows);
  expect(() => withOwnProviders([], env)).toThrow(
    expect.objectContaining({ code: 'validation_failed', message: expect.stringMatching(fault) }),
  );
  expect(() => withOwnProviders([], env)).toThrow(join(home, '.config', 'agent-relay', 'providers.json'));
});

test('a file that is named must be there', () => {
  env['AGENT_RELAY_PROVIDERS_FILE'] = join(home, 'elsewhere.json');
  expect(() => withOwnProviders([], env)).toThrow('elsewhere.json: it cannot be read');
});
