import { describe, expect, test } from 'vitest';
import { claudeEnvironment, commandLine, mcpConfig } from './command-line.ts';

describe('the command line', () => {
  test('holds no token: the MCP servers are in a file', () => {
    const args = commandLine({
      mode: 'agentic',
      model: 'opus',
      instructions: 'Be Bob.',
      vendorSessionId: 'id',
      mcpConfigPath: '/tmp/mcp.json',
    });
    expect(args).toEqual(expect.arrayContaining(['--mcp-config', '/tmp/mcp.json', '--model', 'opus', '--append-system-prompt', 'Be Bob.']));
    expect(args).not.toContain('--strict-mcp-config');
    expect(mcpConfig([{ name: 'agent-relay', url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer t' } }])).toEqual({
      mcpServers: {
        'agent-relay': { type: 'http', url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer t' }, alwaysLoad: true },
      },
    });
  });

  test("safe mode offers no tool of Claude's and no server of the user's", () => {
    const args = commandLine({ mode: 'safe', instructions: '', vendorSessionId: 'id', mcpConfigPath: null });
    expect(args.slice(args.indexOf('--strict-mcp-config'))).toEqual(['--strict-mcp-config', '--tools', '']);
  });

  test('an outer Claude session does not leak into the inner one', () => {
    const env = claudeEnvironment({
      CLAUDECODE: '1',
      CLAUDE_CODE_SESSION_ID: 'x',
      CLAUDE_CODE_MESSAGING_TOKEN: 'x',
      CLAUDE_CODE_MAX_RETRIES: '2',
      HOME: '/h',
    });
    expect(env).toMatchObject({ HOME: '/h', CLAUDE_CODE_MAX_RETRIES: '2' });
    expect(Object.keys(env).filter((name) => /CLAUDECODE|SESSION_ID|TOKEN/u.test(name))).toEqual([]);
  });

  test('a git that only looks writes nothing, beside what the environment says to git already', () => {
    const env = claudeEnvironment({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'Ann' });
    expect(env).toMatchObject({
      GIT_OPTIONAL_LOCKS: '0',
      GIT_CONFIG_COUNT: '3',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: 'Ann',
      GIT_CONFIG_KEY_1: 'diff.autoRefreshIndex',
      GIT_CONFIG_VALUE_1: 'false',
      GIT_CONFIG_KEY_2: 'core.fsmonitor',
      GIT_CONFIG_VALUE_2: 'false',
    });
  });
});
