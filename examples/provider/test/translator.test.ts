import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { ParrotTranslator } from '../src/provider/translator.ts';
import { parseFrame } from '../src/wire/frames.ts';

function replay(name: string): AgentEvent[] {
  const translator = new ParrotTranslator();
  const lines = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.flatMap((line) => {
    const { sent, frame } = JSON.parse(line);
    if (sent) translator.sent(sent);
    return frame ? translator.translate(parseFrame(frame)).map((event) => AgentEventSchema.parse(event)) : [];
  });
}

test('a recorded turn that writes a file becomes a message with evidence, a tool, a change and an answer', () => {
  const turn = { turnId: 'turn-1' };
  const tool = { ...turn, itemId: 'tool-2' };
  expect(replay('1.2.0-write').filter(({ type }) => type !== 'text.delta')).toEqual([
    { type: 'input.accepted', messageId: 7, evidence: 'echo', state: 'delivered' },
    { type: 'turn.started', ...turn },
    { type: 'session.status', status: 'busy' },
    { type: 'user.message', ...turn, text: 'write note.txt: hi', messageIds: [7] },
    { type: 'input.accepted', messageId: 7, evidence: 'turn', state: 'seen' },
    { type: 'tool.started', ...tool, name: 'write', kind: 'edit', title: 'write /home/ada/note.txt' },
    { type: 'file.changed', ...turn, changes: [{ path: '/home/ada/note.txt', change: 'updated' }] },
    { type: 'tool.completed', ...tool, outcome: 'succeeded', output: 'wrote /home/ada/note.txt' },
    { type: 'text.completed', ...turn, itemId: 'text-4', text: 'write note.txt: hi' },
    { type: 'turn.completed', ...turn, outcome: 'finished' },
    { type: 'session.status', status: 'idle' },
  ]);
});

test('a frame that this version does not know is passed on as it came', () => {
  const frame = { type: 'squawk', volume: 11 };
  expect(new ParrotTranslator().translate(parseFrame(frame))).toEqual([
    { type: 'vendor.event', vendor: 'parrot', name: 'unknown', data: frame },
  ]);
});
