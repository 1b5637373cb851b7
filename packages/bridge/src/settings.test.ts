import { expect, test, vi } from 'vitest';
import { readBridgeSettings } from './settings.ts';

const read = (...args: readonly string[]) => readBridgeSettings(['node', 'agent-bridge', ...args]);

test('without options it is what agent-ws is, in its safe mode', () => {
  expect(read()).toMatchObject({
    protocol: 'agent-ws',
    host: 'localhost',
    mode: 'safe',
    sandbox: 'none',
    timeout: 600,
    auth: true,
    origins: [],
  });
  expect(read().port).toBeUndefined();
});

test.each([
  [['-p', '0'], { port: 0 }],
  [['--port', '9998'], { port: 9998 }],
  [['-H', '0.0.0.0'], { host: '0.0.0.0' }],
  [['--host', '::1'], { host: '::1' }],
  [['-m', 'agentic'], { mode: 'agentic' }],
  [['--mode', 'unrestricted'], { mode: 'unrestricted' }],
  [['--sandbox', 'bwrap'], { sandbox: 'bwrap' }],
  [['-c', '/opt/claude'], { claudePath: '/opt/claude' }],
  [['--claude-path', '/opt/claude'], { claudePath: '/opt/claude' }],
  [['--codex-path', '/opt/codex'], { codexPath: '/opt/codex' }],
  [['-t', '1'], { timeout: 1 }],
  [['--timeout', '3600'], { timeout: 3600 }],
  [['--no-auth'], { auth: false }],
  [['--log-level', 'debug'], { logLevel: 'debug' }],
  [['--origins', 'https://a.example, http://b.example:81'], { origins: ['https://a.example', 'http://b.example:81'] }],
  [['--protocol', 'ai-relay'], { protocol: 'ai-relay' }],
] as const)('clients of agent-ws start it with %j', (args, settings) => {
  expect(read(...args)).toMatchObject(settings);
});

test.each([
  ['--port', '65536'],
  ['--timeout', '0'],
  ['--timeout', '3601'],
  ['--mode', 'free'],
  ['--origins', 'a.example'],
])('%s %s is refused', (option, value) => {
  expect(() => read(option, value)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }));
});

test('a token that nobody would ask for is refused by its name; one for every start stays', () => {
  expect(() => read('--no-auth', '--token', 'secret')).toThrow(
    expect.objectContaining({
      code: 'commander.conflictingOption',
      message: "error: option '--no-auth' cannot be used with option '--token <token>'",
    }),
  );
  vi.stubEnv('AGENT_BRIDGE_TOKEN', 'secret');
  expect(read('--no-auth')).toMatchObject({ auth: false });
  vi.unstubAllEnvs();
});
