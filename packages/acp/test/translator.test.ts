import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { PromptAnswer, parseUpdate, ToolReport } from '../src/acp/frames.ts';
import { AcpTranslator } from '../src/provider/translator.ts';

/** What a recorded conversation comes to, without what is the same in each. */
function replay(name: string): AgentEvent[] {
  const translator = new AcpTranslator({ vendor: 'gemini', relayServers: ['agent-relay'] });
  const lines = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const events = lines.flatMap((line) => {
    const { begin, update, asked, isAllowed, answer } = JSON.parse(line);
    if (begin) return translator.begin('t', begin);
    if (update) return translator.update(parseUpdate(update));
    if (answer) return translator.end(PromptAnswer.parse(answer), false);
    const question = translator.asked(ToolReport.parse(asked));
    if (!question) return [];
    return isAllowed ? question.events : [...question.events, ...translator.declined(question.asked.call)];
  });
  return events.map((event) => AgentEventSchema.parse(event)).filter(({ type }) => !/^session|^user|^vendor|delta$/u.test(type));
}

const turn = { turnId: 't' };
const accepted = [
  { type: 'input.accepted', messageId: 7, evidence: 'accepted', state: 'delivered' },
  { type: 'input.accepted', messageId: 7, evidence: 'turn', state: 'seen' },
];

test('a recorded turn of Gemini with tools becomes thoughts, tools, a change and an answer, and its message is seen once', () => {
  const write = { ...turn, itemId: 't-tool-write_file__write_file_1764432000000_0' };
  const shell = { ...turn, itemId: 't-tool-run_shell_command__run_shell_command_1764432000000_0' };
  const usage = { inputTokens: expect.any(Number), outputTokens: expect.any(Number) };
  expect(replay('gemini-0.61.0-tools')).toEqual([
    { type: 'turn.started', ...turn },
    ...accepted,
    { type: 'reasoning.completed', ...turn, itemId: 't-text-1', text: '****\nlet me see' },
    { type: 'tool.started', ...write, name: 'write_file', kind: 'edit', title: 'Writing to note.txt' },
    {
      type: 'file.changed',
      ...turn,
      changes: [{ path: '/home/ada/work/note.txt', change: 'added', diff: '@@ -0,0 +1,1 @@\n+hello\n' }],
    },
    { type: 'tool.completed', ...write, outcome: 'succeeded' },
    { type: 'tool.started', ...shell, name: 'run_shell_command', kind: 'execute', title: 'echo ran' },
    { type: 'tool.updated', ...shell, output: '[current working directory /home/ada/work] (Run a command)' },
    { type: 'tool.completed', ...shell, outcome: 'succeeded' },
    { type: 'text.completed', ...turn, itemId: 't-text-2', text: 'both done' },
    { type: 'usage.updated', ...turn, usage },
    { type: 'turn.completed', ...turn, outcome: 'finished', text: 'both done', usage },
  ]);
});

test('a recorded refusal of Gemini, which tells nothing of it, is a declined tool', () => {
  expect(replay('gemini-0.61.0-refused').flatMap((event) => (event.type.startsWith('tool.') ? [event] : []))).toMatchObject([
    { type: 'tool.started', name: 'run_shell_command', title: 'touch no.txt' },
    { type: 'tool.updated' },
    { type: 'tool.completed', outcome: 'declined' },
  ]);
});

test('a turn that ends without a word proves that the agent has the prompt, and no more', () => {
  const translator = new AcpTranslator({ vendor: 'x', relayServers: [] });
  translator.begin('t', { text: '/about', messageIds: [7] });
  const events = translator.end(PromptAnswer.parse({ stopReason: 'end_turn' }), false);
  expect(events.filter(({ type }) => type === 'input.accepted')).toEqual([accepted[0]]);
});

test('a relay tool makes a turn one of mail when it has handed out words of others; one without a name may have', () => {
  const isMailAfter = (report: object) => {
    const translator = new AcpTranslator({ vendor: 'x', relayServers: ['agent-relay'] });
    translator.begin('t', { text: 'go', messageIds: [] });
    translator.update(parseUpdate({ sessionUpdate: 'tool_call_update', status: 'completed', kind: 'other', ...report }));
    return translator.isMailTurn;
  };
  const text = (words: string) => ({ content: [{ type: 'content', content: { type: 'text', text: words } }] });
  expect([
    isMailAfter({ toolCallId: 'a', name: 'mcp_agent-relay_relay_inbox', ...text('[msg:1] from Bob: hi') }),
    isMailAfter({ toolCallId: 'a', name: 'mcp_agent-relay_relay_inbox' }),
    isMailAfter({ toolCallId: 'a', name: 'mcp_agent-relay_relay_inbox', ...text('No messages.') }),
    isMailAfter({ toolCallId: 'a', name: 'mcp_agent-relay_relay_claim', ...text('claimed') }),
    isMailAfter({ toolCallId: 'call-1', ...text('whatever') }),
    isMailAfter({ toolCallId: 'call-1', kind: 'edit' }),
    isMailAfter({ toolCallId: 'a', name: 'write_file' }),
  ]).toEqual([true, true, false, false, true, false, false]);
});
