import { expect, test } from 'vitest';
import { ToolReport } from '../acp/frames.ts';
import { outputText, pathsOf, relayTool, toolName, toolUse } from './tool-words.ts';

const report = (fields: object) => ToolReport.parse({ toolCallId: 'call-7', ...fields });

test('a name is told in one of the ways that agents have, or is made out of the id, or is not known', () => {
  expect(
    [
      { name: 'shell' },
      { _meta: { toolName: 'run_shell_command' } },
      { _meta: { claudeCode: { toolName: 'Bash' } } },
      { toolCallId: 'write_file__write_file_1764432000000_0' },
      { toolCallId: 'write_file-1764432000000-1' },
      { toolCallId: 'mcp_other_a__b__mcp_other_a__b_1764432000000_0' },
      { toolCallId: 'write_file__fc_5dwp__x' },
      { toolCallId: 'ask_user__call-1764432000000-1' },
      { toolCallId: 'mcp_agent-relay_relay_send__call_0' },
      { toolCallId: 'mcp_my__own_relay_send__call_0' },
      { toolCallId: 'mcp_my__own_relay_sendX__call_0' },
      { toolCallId: 'toolu_01AbC' },
      { toolCallId: 'tooluse_a__b' },
    ].map((fields) => toolName(report(fields), ['agent-relay', 'my__own'])),
  ).toEqual([
    ...['shell', 'run_shell_command', 'Bash', 'write_file', 'write_file', 'mcp_other_a__b', 'write_file', 'ask_user'],
    ...['mcp_agent-relay_relay_send', 'mcp_my__own_relay_send', 'mcp_my', null, null],
  ]);
});

test('a tool is one of the relay only under the name of its server', () => {
  const servers = ['agent-relay'];
  const names = [
    'mcp_agent-relay_relay_send',
    'mcp__agent-relay__relay_send',
    'agent-relay_relay_inbox',
    'mcp_other_relay_send',
    'relay_send',
    'mcp_agent-relay_x_relay_send',
  ];
  expect(names.map((name) => relayTool(name, servers))).toEqual(['relay_send', 'relay_send', 'relay_inbox', null, null, null]);
});

test('what only looks is a reading; a search, a thought, and what a foreign server says of itself is not', () => {
  const kinds = [
    { kind: 'read' },
    { kind: 'search' },
    { kind: 'think' },
    { kind: 'read', name: 'mcp_other_peek' },
    { kind: 'switch_mode' },
    {},
    { kind: 'other', name: 'mcp_agent-relay_relay_send' },
    { name: 'ask_user' },
  ];
  expect(kinds.map((fields) => toolUse(report(fields), ['agent-relay']).kind)).toEqual([
    'read',
    'other',
    'other',
    'other',
    'other',
    'other',
    'relay',
    'question',
  ]);
});

test('a change names every file that stands in it, and one that names none can be allowed by no fence', () => {
  const content = [{ type: 'diff', path: '/b', newText: 'x' }, { type: 'content' }];
  expect(pathsOf(report({ locations: [{ path: '/a' }, { path: '/b' }, 7], content }))).toEqual(['/a', '/b']);
  expect(toolUse(report({ kind: 'delete', title: 'Deleting' }), [])).toEqual({ kind: 'edit', name: 'Deleting', paths: [] });
});

test('what a tool gave is what the agent shows of it, or else the text of its raw output', () => {
  const content = [{ type: 'content', content: { type: 'text', text: 'shown' } }];
  const reports = [
    { content, rawOutput: 'raw' },
    { rawOutput: 'raw' },
    { rawOutput: { output: 'held' } },
    { rawOutput: { content: [{ text: 'a' }, { text: 'b' }] } },
    { rawOutput: { result: { content: [{ text: 'c' }] }, error: null } },
    { rawOutput: 7 },
  ];
  expect(reports.map((fields) => outputText(report(fields)))).toEqual(['shown', 'raw', 'held', 'a\nb', 'c', '']);
});
