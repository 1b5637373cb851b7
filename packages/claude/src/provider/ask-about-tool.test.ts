import type { ApprovalVerdict } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import type { PermissionRequest } from '../stream-json/frames.ts';
import { askAboutTool } from './ask-about-tool.ts';
import type { QuestionParts } from './ask-person.ts';

const rule = { toolName: 'Bash', ruleContent: 'git status' };
const request = {
  subtype: 'can_use_tool',
  tool_name: 'Bash',
  input: { command: 'git status' },
  tool_use_id: 't1',
  permission_suggestions: [{ type: 'addRules', behavior: 'allow', rules: [rule] }],
} as unknown as PermissionRequest; // what the CLI asks with besides is not looked at

function answerTo(verdict: ApprovalVerdict) {
  const translator = { turnId: null, questionAsked: () => [], questionAnswered: () => [], declined: () => {} };
  const parts = { translator, events: { emit: () => {}, approvals: { ask: async () => verdict } } } as unknown as QuestionParts; // all that is called of them
  return askAboutTool({ request, relayServers: [], cwd: '/w', offersRule: true }, parts, new AbortController().signal);
}

test('a yes for the session to an input that a person changed is no rule for the one that Claude asked about', async () => {
  const yes = { outcome: 'allowed', forSession: true } as ApprovalVerdict;
  expect(await answerTo(yes)).toEqual({ behavior: 'allow', rule });
  const updatedInput = { command: 'git diff' };
  expect(await answerTo({ ...yes, updatedInput } as ApprovalVerdict)).toEqual({ behavior: 'allow', updatedInput });
});
