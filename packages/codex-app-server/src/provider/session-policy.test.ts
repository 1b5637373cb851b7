import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import type { ToolUse } from 'agent-relay-provider/kit';
import { describe, expect, test } from 'vitest';
import { developerInstructions, mayAsk, threadConfig, turnPolicy } from './session-policy.ts';

const readOnly = { type: 'readOnly', networkAccess: false };
const relayCallsOnly = {
  granular: { sandbox_approval: false, rules: false, skill_approval: false, request_permissions: false, mcp_elicitations: true },
};

describe('what a turn may do', () => {
  test.each([
    ['safe', { approvalPolicy: 'never', sandboxPolicy: readOnly }],
    [
      'agentic',
      {
        approvalPolicy: 'never',
        sandboxPolicy: expect.objectContaining({ type: 'workspaceWrite', writableRoots: [], networkAccess: false }),
      },
    ],
    ['unrestricted', { approvalPolicy: 'never', sandboxPolicy: { type: 'dangerFullAccess' } }],
  ] as const)('in a %s session', (mode, policy) => {
    expect(turnPolicy({ mode, approval: 'open', ask: false, isMail: true })).toEqual(policy);
    const approvalPolicy = mode === 'safe' ? policy.approvalPolicy : relayCallsOnly;
    expect(turnPolicy({ mode, approval: 'read-only', ask: false, isMail: false })).toEqual({ ...policy, approvalPolicy });
  });

  test.each(['agentic', 'unrestricted'] as const)('mail to a %s agent that only reads for its peers starts read-only turns', (mode) => {
    expect(turnPolicy({ mode, approval: 'read-only', ask: false, isMail: true })).toEqual({
      approvalPolicy: relayCallsOnly,
      sandboxPolicy: readOnly,
    });
  });

  const edit = (...paths: string[]): ToolUse => ({ kind: 'edit', name: 'Edit', paths });
  const command: ToolUse = { kind: 'other', name: 'Run make' };

  test('a person is asked in turns of guarded mail, for what the mode does not forbid for good', () => {
    const cwd = process.cwd();
    const asks = (mode: SpawnMode, use: ToolUse) => mayAsk(use, { mode, approval: 'guarded', ask: false, cwd }, true);
    expect([asks('agentic', command), asks('agentic', edit(`${cwd}/a.txt`, 'b.txt')), asks('unrestricted', edit('/etc/a'))]).toEqual([
      true,
      true,
      true,
    ]);
    expect([asks('agentic', edit(`${cwd}/a.txt`, '/etc/a')), asks('agentic', edit(`${cwd}/.git/config`)), asks('safe', command)]).toEqual([
      false,
      false,
      false,
    ]);
    for (const approval of ['open', 'read-only'] as const)
      expect(mayAsk(command, { mode: 'unrestricted', approval, ask: false, cwd }, true)).toBe(false);
  });

  test('mail that may only read has nobody asked for more, also where its owner would be', () => {
    const asks = (isMailTurn: boolean) =>
      mayAsk(command, { mode: 'agentic', approval: 'read-only', ask: true, cwd: process.cwd() }, isMailTurn);
    expect([asks(false), asks(true)]).toEqual([true, false]);
  });

  test('an agentic session with ask stays in its sandbox and asks before it leaves it, but for mail that may only read', () => {
    const turn = (approval: ApprovalMode, isMail: boolean) => turnPolicy({ mode: 'agentic', approval, ask: true, isMail });
    const asking = {
      approvalPolicy: 'on-request',
      sandboxPolicy: expect.objectContaining({ type: 'workspaceWrite', networkAccess: false }),
    };
    expect([turn('open', false), turn('open', true), turn('guarded', false), turn('read-only', false)]).toEqual([
      asking,
      asking,
      asking,
      asking,
    ]);
    expect(turn('read-only', true)).toEqual({ approvalPolicy: relayCallsOnly, sandboxPolicy: readOnly });
    for (const mode of ['safe', 'unrestricted'] as const)
      expect(turnPolicy({ mode, approval: 'open', ask: true, isMail: false }).approvalPolicy).toBe('never');
    const cwd = process.cwd();
    const asks = (mode: SpawnMode, use: ToolUse) => mayAsk(use, { mode, approval: 'open', ask: true, cwd }, false);
    expect([asks('agentic', command), asks('agentic', edit('a.txt')), asks('agentic', edit('/etc/a'))]).toEqual([true, true, false]);
    expect([asks('agentic', edit(`${cwd}/.git/config`)), asks('safe', command), asks('unrestricted', command)]).toEqual([
      ...[false, false, false],
    ]);
  });

  test('mail to a guarded agent starts read-only turns that ask before they do more', () => {
    expect(turnPolicy({ mode: 'unrestricted', approval: 'guarded', ask: false, isMail: true })).toEqual({
      approvalPolicy: 'on-request',
      sandboxPolicy: readOnly,
    });
  });
});

describe('the settings of a thread', () => {
  const mcp = [{ name: 'agent-relay', url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer x' } }];
  const environment = { inherits: true, set: {}, exclude: [] };

  test('give the relay its tools, without a question at each call and with time to wait', () => {
    expect(threadConfig({ mode: 'agentic', approval: 'open', mcp, userMcpServers: ['db'], environment })).toEqual({
      features: { instant_interrupt: false },
      mcp_servers: {
        'agent-relay': {
          url: 'http://127.0.0.1:1/mcp',
          http_headers: { authorization: 'Bearer x' },
          default_tools_approval_mode: 'approve',
          tool_timeout_sec: 190,
        },
      },
    });
  });

  test('of an agent whose mail may do less have the session look at each call of a relay tool, and no sub-agents', () => {
    for (const approval of ['guarded', 'read-only'] as const) {
      const config = threadConfig({ mode: 'agentic', approval, mcp, userMcpServers: [], environment });
      expect(config).toMatchObject({
        features: { multi_agent: false },
        mcp_servers: { 'agent-relay': { default_tools_approval_mode: 'prompt' } },
      });
    }
  });

  test('of a safe session switch off the shell and the servers that are not the relay', () => {
    const config = threadConfig({ mode: 'safe', approval: 'guarded', mcp, userMcpServers: ['db', 'agent-relay'], environment });
    expect(config).toMatchObject({
      features: { shell_tool: false, unified_exec: false, plugins: false },
      web_search: 'disabled',
      mcp_servers: { db: { enabled: false }, 'agent-relay': { url: 'http://127.0.0.1:1/mcp' } },
    });
  });

  test("carry what differs in the agent's environment", () => {
    const config = threadConfig({
      mode: 'agentic',
      approval: 'open',
      mcp: [],
      userMcpServers: [],
      environment: { inherits: true, set: { A: '1' }, exclude: ['B'] },
    });
    expect(config['shell_environment_policy']).toEqual({ exclude: ['B'], set: { A: '1' } });
  });
});

test('the instructions name the limits that the agent will meet', () => {
  expect(developerInstructions({ instructions: 'Be kind.', mode: 'agentic', approval: 'open', ask: false })).toBe('Be kind.');
  expect(developerInstructions({ instructions: 'Be kind.', mode: 'safe', approval: 'guarded', ask: false })).toMatch(
    /^Be kind\.\n\nYou have no tools/,
  );
  expect(developerInstructions({ instructions: '', mode: 'agentic', approval: 'guarded', ask: false })).toMatch(/a person is asked/);
});
