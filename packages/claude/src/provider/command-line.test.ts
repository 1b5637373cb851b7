import { describe, expect, test } from 'vitest';
import { claudeArguments, mcpServers, modeArguments } from './command-line.ts';

describe('the command line', () => {
  test('holds no token: the MCP servers are in a file', () => {
    const args = [
      ...claudeArguments({ permissionMode: 'default', model: 'opus', instructions: 'Be Bob.', vendorSessionId: 'id' }),
      ...modeArguments({ mode: 'agentic', mcpConfigPath: '/tmp/mcp.json' }),
    ];
    expect(args).toEqual(expect.arrayContaining(['--mcp-config', '/tmp/mcp.json', '--model=opus', '--append-system-prompt', 'Be Bob.']));
    expect(args).not.toContain('--strict-mcp-config');
    expect(mcpServers([{ name: 'agent-relay', url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer t' } }])).toEqual({
      'agent-relay': { type: 'http', url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer t' }, alwaysLoad: true },
    });
  });

  test("safe mode offers no tool of Claude's and no server of the user's", () => {
    expect(modeArguments({ mode: 'safe', mcpConfigPath: null })).toEqual(['--strict-mcp-config', '--tools', '']);
  });

  test('agentic mode offers only the tools that are named, where they are', () => {
    const named = { agenticTools: ['Read', 'Edit'], mcpConfigPath: null };
    expect(modeArguments({ mode: 'agentic', ...named })).toEqual(['--strict-mcp-config', '--tools', 'Read,Edit']);
    expect(modeArguments({ mode: 'unrestricted', ...named })).toEqual([]);
  });

  test('continues a stored conversation under its own id, and names no new one', () => {
    const args = claudeArguments({ permissionMode: 'default', vendorSessionId: 'old', resume: 'old' });
    expect([args.at(-1), args.includes('--session-id')]).toEqual(['--resume=old', false]);
  });

  test('no id of a conversation and no model is taken for an option of its own', () => {
    const args = claudeArguments({
      permissionMode: 'default',
      vendorSessionId: 'new',
      resume: '--settings={}',
      model: '--settings={}',
      fork: true,
    });
    expect(args).toEqual(expect.arrayContaining(['--resume=--settings={}', '--model=--settings={}']));
    expect(args).not.toContain('--settings={}');
  });
});
