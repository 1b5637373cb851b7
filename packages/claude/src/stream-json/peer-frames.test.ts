import { describe, expect, test } from 'vitest';
import { askSettings } from './ask-settings.ts';
import { checkDialledFrame, checkPeerFrame, peerInitialize } from './peer-frames.ts';

const request = (subtype: string, more: object = {}) => ({ type: 'control_request', request_id: 'r', request: { subtype, ...more } });
const answer = (response: object) => ({ type: 'control_response', response: { subtype: 'success', request_id: 'r', response } });
const answered = (response: object) => checkPeerFrame(answer(response));
const rule = (destination: string, rules: object[] = [{ toolName: 'Bash', ruleContent: 'ls' }]) => ({
  type: 'addRules',
  rules,
  behavior: 'allow',
  destination,
});

describe('what somebody outside says to a CLI', () => {
  test.each([
    'set_permission_mode',
    'mcp_set_servers',
    'apply_flag_settings',
    'read_file',
    'initialize',
    'reload_plugins',
    'rewind_files',
    'get_settings',
    'not_invented_yet',
  ])('is no request for %s', (subtype) => {
    expect(() => checkPeerFrame(request(subtype))).toThrow(
      expect.objectContaining({ code: 'forbidden', message: expect.stringContaining(subtype) }),
    );
  });

  test('sets no variable of its environment', () => {
    expect(() => checkPeerFrame({ type: 'update_environment_variables', variables: { PATH: '/evil' } })).toThrow(
      expect.objectContaining({ code: 'forbidden' }),
    );
  });

  test('is no line that would end it', () => {
    for (const frame of [{ type: 'user' }, { type: 'assistant', message: {} }, { type: 'control_request', request_id: 'r' }, [], null, 'x'])
      expect(() => checkPeerFrame(frame)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  test('may be a prompt, an interrupt, a model', () => {
    const prompt = { type: 'user', message: { role: 'user', content: 'hello' }, priority: 'later' };
    expect(checkPeerFrame({ ...prompt, isSynthetic: true, origin: { kind: 'host' } })).toEqual(prompt);
    for (const frame of [request('interrupt'), request('set_model', { model: 'x' }), { type: 'keep_alive' }])
      expect(checkPeerFrame(frame)).toEqual(frame);
  });

  test('allows a tool, for the session by one rule, and writes no settings and changes no mode with it', () => {
    const allow = { behavior: 'allow', updatedInput: { command: 'ls' } };
    const mode = { type: 'setMode', mode: 'acceptEdits', destination: 'session' };
    const two = rule('session', [{ toolName: 'Bash' }, { toolName: 'Write' }]);
    expect(answered({ ...allow, updatedPermissions: [rule('localSettings'), mode, two] })).toEqual(answer(allow));
    expect(answered({ ...allow, updatedPermissions: [rule('session'), mode] })).toEqual(
      answer({ ...allow, updatedPermissions: [rule('session')] }),
    );
    expect(answered({ behavior: 'deny', message: 'no', interrupt: true, more: 1 })).toEqual(
      answer({ behavior: 'deny', message: 'no', interrupt: true }),
    );
  });

  test('holds a tool back by a hook, and lets none through', () => {
    const hook = (permissionDecision: string, more: object = {}) => ({
      hookSpecificOutput: { hookEventName: 'PreToolUse', permissionDecision, permissionDecisionReason: 'why' },
      ...more,
    });
    expect(answered(hook('deny', { systemMessage: 'x' }))).toEqual(answer(hook('deny')));
    expect(answered(hook('allow'))).toEqual(answer({}));
    expect(answered({ decision: 'approve' })).toEqual(answer({}));
  });

  test('answers a permission that a hook asks for with a yes, and changes neither input nor rules with it', () => {
    const permission = (decision: object) => ({ hookSpecificOutput: { hookEventName: 'PermissionRequest', decision } });
    const more = { updatedInput: { command: 'rm' }, updatedPermissions: [rule('localSettings')] };
    expect(answered(permission({ behavior: 'allow', ...more }))).toEqual(answer(permission({ behavior: 'allow' })));
    expect(answered(permission({ behavior: 'always' }))).toEqual(answer({}));
    const hooks = { PermissionRequest: [{ hookCallbackIds: ['a'], timeout: 10 }] };
    expect(peerInitialize({ hooks })).toEqual({ subtype: 'initialize', hooks });
  });

  test.each([
    [{ relay: { type: 'http', url: 'http://127.0.0.1:9/mcp', headers: { authorization: 'Bearer t' }, alwaysLoad: true } }, true],
    [{ relay: { type: 'http', url: 'http://[::1]:9/mcp' } }, true],
    [{}, true],
    [{ relay: { type: 'http', url: 'http://10.0.0.1/mcp' } }, false],
    [{ relay: { type: 'http', url: 'file:///etc/passwd' } }, false],
    [{ relay: { type: 'stdio', command: 'sh' } }, false],
    [{ relay: { command: 'sh' } }, false],
    [{ 'a b': { type: 'http', url: 'http://127.0.0.1/mcp' } }, false],
    [null, false],
  ])('who was dialled gives MCP servers on its own host and nothing to start: %j', (servers, isAllowed) => {
    const asked = { type: 'control_request', request_id: 'r', request: { subtype: 'mcp_set_servers', servers, more: 1 } };
    const check = () => checkDialledFrame(asked, new URL('ws://localhost:4850/claude/Lead'));
    if (!isAllowed) return expect(check).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(check()).toMatchObject({ type: 'control_request', request_id: 'r', request: { subtype: 'mcp_set_servers' } });
    expect(JSON.stringify(check())).not.toContain('more');
    expect(() => checkPeerFrame(asked)).toThrow(expect.objectContaining({ code: 'forbidden' }));
  });

  test.each([
    [askSettings(['Bash', 'mcp__my-server', 'mcp__other__pour']), true],
    [askSettings([]), true],
    [askSettings(['Bash(rm:*)']), false],
    [askSettings(Array.from({ length: 1_001 }, (_, index) => `Tool${index}`)), false],
    [{ ...askSettings([]), permissions: { ask: [], allow: ['Bash'] } }, false],
    [{ ...askSettings([]), sandbox: { autoAllowBashIfSandboxed: true } }, false],
    [{ ...askSettings([]), sandbox: { enabled: false } }, false],
    [{ ...askSettings([]), hooks: {} }, false],
    [{ permissions: {} }, false],
    [null, false],
  ])('who was dialled says which tools are asked about, and changes no other setting: %j', (settings, isAllowed) => {
    const asked = { type: 'control_request', request_id: 'r', request: { subtype: 'apply_flag_settings', settings, more: 1 } };
    const check = () => checkDialledFrame(asked, new URL('ws://localhost:4850/claude/Lead'));
    expect(() => checkPeerFrame(asked)).toThrow(expect.objectContaining({ code: 'forbidden' }));
    if (!isAllowed) return expect(check).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(check()).toEqual({ ...asked, request: { subtype: 'apply_flag_settings', settings } });
  });

  test('initialises with hooks that ask back and a word for the model, and with nothing else', () => {
    expect(peerInitialize({ appendSystemPrompt: 'You are Lead.', systemPrompt: 'obey' })).toMatchObject({
      appendSystemPrompt: 'You are Lead.',
    });
    const hooks = { PreToolUse: [{ hookCallbackIds: ['a'] }] };
    const wanted = { subtype: 'initialize', hooks: { ...hooks, SessionStart: [{ hookCallbackIds: ['b'] }] } };
    expect(peerInitialize({ ...wanted, sdkMcpServers: ['x'], systemPrompt: 'obey', agents: {} })).toEqual({ subtype: 'initialize', hooks });
    expect(peerInitialize({ hooks: { PreToolUse: [{ type: 'command', command: 'rm' }] } })).toEqual({ subtype: 'initialize', hooks: {} });
  });
});
