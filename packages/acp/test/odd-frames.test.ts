import { SessionEvents } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PermissionQuestion, PromptAnswer, parseUpdate } from '../src/acp/frames.ts';
import { AcpToolGate } from '../src/provider/tool-gate.ts';
import { AcpTranslator } from '../src/provider/translator.ts';

const id = fc.oneof(fc.constantFrom('a', 'b', 0, 7, ''), fc.string({ maxLength: 200 }), fc.jsonValue());
const word = (...words: string[]) => fc.oneof(fc.constantFrom(...words), fc.jsonValue());
const text = fc.oneof(fc.string(), fc.jsonValue());
const block = fc.oneof(fc.record({ type: word('text', 'image'), text }, { requiredKeys: [] }), fc.jsonValue());
const part = fc.record(
  { type: word('diff', 'content', 'terminal'), content: block, path: text, oldText: text, newText: text },
  { requiredKeys: [] },
);
const tool = {
  toolCallId: id,
  name: word('mcp_agent-relay_relay_inbox', 'write_file'),
  title: text,
  kind: word('read', 'edit', 'execute', 'other'),
  status: word('pending', 'in_progress', 'completed', 'failed'),
  content: fc.oneof(fc.array(part, { maxLength: 3 }), fc.jsonValue()),
  locations: fc.oneof(fc.array(fc.record({ path: text }), { maxLength: 2 }), fc.jsonValue()),
  rawInput: fc.jsonValue(),
  rawOutput: fc.jsonValue(),
  _meta: fc.jsonValue(),
};
const kinds = ['agent_message_chunk', 'agent_thought_chunk', 'tool_call', 'tool_call_update', 'plan', 'usage_update', 'mood_update'];
const update = fc.oneof(
  fc.record(
    {
      sessionUpdate: word(...kinds),
      ...tool,
      content: fc.oneof(block, tool.content),
      messageId: id,
      entries: fc.array(fc.record({ content: text, status: text }, { requiredKeys: [] })),
      used: fc.jsonValue(),
      size: fc.jsonValue(),
      cost: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const question = fc.record({ toolCall: fc.record(tool, { requiredKeys: [] }), options: fc.jsonValue() }, { requiredKeys: [] });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ update }) },
  { weight: 2, arbitrary: fc.record({ question }) },
  { weight: 1, arbitrary: fc.constant({ begin: true as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      answer: fc.record({ stopReason: word('end_turn', 'cancelled', 'refusal'), usage: fc.jsonValue(), _meta: fc.jsonValue() }),
    }),
  },
);

test('whatever an agent tells, in whatever order, the events keep the rules of the contract', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const events = new SessionEvents({ cwd: '/work' });
      const log = new EventLog({ events });
      const translator = new AcpTranslator({ vendor: 'odd', relayServers: ['agent-relay'] });
      const rights = { mode: 'agentic', approval: 'open', cwd: '/work' } as const;
      const gate = new AcpToolGate({ isConfined: false, rights, relayServers: ['agent-relay'], translator, events });
      let turns = 0;
      const emit = (told: ReturnType<AcpTranslator['update']>) => {
        for (const event of told) events.emit(event);
      };
      for (const each of steps) {
        if ('begin' in each) {
          turns += 1;
          emit(translator.begin(`turn-${turns}`, { text: 'go', messageIds: [turns] }));
        } else if ('update' in each) emit(translator.update(parseUpdate(each.update)));
        else if ('answer' in each)
          emit(PromptAnswer.safeParse(each.answer).success ? translator.end(PromptAnswer.parse(each.answer), false) : []);
        else {
          const asked = PermissionQuestion.safeParse(each.question);
          const turn = { turnId: `turn-${turns}`, signal: new AbortController().signal };
          if (asked.success) await gate.permission(asked.data, turns > 0 ? turn : undefined, new AbortController().signal);
        }
      }
      events.end({ reason: 'closed' });
      await log.finished;
      expect(brokenEventRules(log.events)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});
