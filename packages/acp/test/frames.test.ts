import { costlyFields } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { InitializeAnswer, NewSessionAnswer, PermissionQuestion, PromptAnswer, ToolReport } from '../src/acp/frames.ts';

const report = {
  toolCallId: 'call-1',
  name: 'write_file',
  title: 'Writing to a.txt',
  kind: 'edit',
  status: 'completed',
  content: [
    { type: 'diff', path: '/a.txt', oldText: 'a', newText: 'b', _meta: { kind: 'modify' } },
    { type: 'content', content: { type: 'text', text: 'done' } },
  ],
  locations: [{ path: '/a.txt' }],
  _meta: {
    toolName: 'write_file',
    claudeCode: { toolName: 'Write' },
    terminal_output_delta: { data: 'x' },
    terminal_exit: { exit_code: 1 },
  },
  rawInput: { path: '/a.txt' },
  rawOutput: 'done',
};
const entries = ['content[].type', 'locations[].path', 'options[].optionId', 'toolCall.content[].type', 'toolCall.locations[].path'];

test('a field that decides nothing costs nothing but itself', () => {
  const reports = { samples: [report], decides: ['toolCallId', ...entries] };
  expect(costlyFields(ToolReport, reports)).toEqual([]);
  const question = { toolCall: report, options: [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }] };
  expect(costlyFields(PermissionQuestion, { samples: [question], decides: ['toolCall', 'toolCall.toolCallId', ...entries] })).toEqual([]);
  const usage = { inputTokens: 1, outputTokens: 2, cachedReadTokens: 3, thoughtTokens: 4 };
  const answer = { stopReason: 'end_turn', usage, _meta: { quota: { token_count: { input_tokens: 1, output_tokens: 2 } } } };
  expect(costlyFields(PromptAnswer, { samples: [answer], decides: ['stopReason'] })).toEqual([]);
  const opened = { sessionId: 's', models: { currentModelId: 'm' }, modes: { availableModes: [{ id: 'default' }] } };
  expect(costlyFields(NewSessionAnswer, { samples: [opened], decides: ['sessionId', 'modes.availableModes[].id'] })).toEqual([]);
});

test('what an agent does not say that it can, it cannot', () => {
  expect(InitializeAnswer.parse({ protocolVersion: 1, agentCapabilities: 'many' }).agentCapabilities).toEqual({
    loadSession: false,
    mcpCapabilities: { http: false },
  });
});
