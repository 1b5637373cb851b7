import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { type FakeAgentHarness, fakeAgentHarness } from './fake-agent-harness.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
const deep = fc.oneof(
  fc.constantFrom(200, 500, 20_000).map((depth) => nested('[', ']', depth)),
  fc.constantFrom(200, 500, 20_000).map((depth) => nested('{"a":', '}', depth)),
);
const oddities: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', '..', '\0', '\ud800', '__proto__', [], [[]], [null], {}],
  ...[{ length: 5 }, { toString: 1 }, { toJSON: 1 }, 'x'.repeat(100_000)],
];
const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...oddities) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });
const id = fc.oneof(fc.constantFrom<unknown>('$PROMPT', 0, 1, 2, 999, -1, '0', 1.5), value);
const session = 'session-1';
const toolCall = { toolCallId: 'c', title: 'look', kind: 'edit', status: 'pending', content: [], locations: [] };
const options = [{ optionId: 'yes', name: 'Allow', kind: 'allow_once' }];

/** Frames of the protocol, as an agent sends them. */
const right: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc
    .constantFrom<Record<string, unknown>>(
      { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'said' } },
      { sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'thought' } },
      { sessionUpdate: 'tool_call', ...toolCall },
      { sessionUpdate: 'tool_call_update', toolCallId: 'c', status: 'completed' },
      { sessionUpdate: 'plan', entries: [{ content: 'a step', status: 'pending' }] },
    )
    .map((update) => ({ method: 'session/update', params: { sessionId: session, update } })),
  fc.record({ id, method: fc.constant('session/request_permission'), params: fc.constant({ sessionId: session, toolCall, options }) }),
  fc.record({ id, method: fc.constant('fs/read_text_file'), params: fc.constant({ sessionId: session, path: '/nowhere/at/all' }) }),
  fc.record({ id, method: fc.constantFrom('terminal/create', 'session/prompt', '', '__proto__'), params: value }),
  fc.record({
    method: fc.constantFrom('$/cancel_request', 'session/cancel', 'elicitation/complete'),
    params: fc.record({ requestId: id }),
  }),
  // Answers to what nobody asked, and to what was: the agent may answer a prompt before its time.
  fc.record({ id, result: fc.oneof(value, fc.constant({ stopReason: 'end_turn' })) }),
  fc.record({ id, error: fc.oneof(value, fc.record({ code: value, message: value, data: value })) }),
);
const fields = ['jsonrpc', 'id', 'method', 'params', 'result', 'error', '__proto__', 'constructor', ''];

/** The bytes of a line, its end not among them. */
const line: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 4, arbitrary: right.map((frame) => JSON.stringify({ jsonrpc: '2.0', ...frame })) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(right, fc.dictionary(fc.constantFrom(...fields), value, { minKeys: 1, maxKeys: 2 }))
        .map(([frame, wrong]) => JSON.stringify({ ...frame, ...wrong })),
    },
    { weight: 3, arbitrary: fc.tuple(right, value).map(([frame, params]) => JSON.stringify({ ...frame, params })) },
    {
      weight: 1,
      arbitrary: value.map((update) => JSON.stringify({ method: 'session/update', params: { sessionId: session, update } })),
    },
    // Nested more deeply than what walks a value can follow, and less so.
    {
      weight: 1,
      arbitrary: fc.tuple(right, deep).map(([frame, text]) => JSON.stringify({ ...frame, params: 'DEEP' }).replace('"DEEP"', text)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(right, deep).map(([frame, text]) => JSON.stringify({ ...frame, id: 'DEEP' }).replace('"DEEP"', text)),
    },
    { weight: 1, arbitrary: deep },
    { weight: 2, arbitrary: fc.tuple(right, fc.nat(150)).map(([frame, length]) => JSON.stringify(frame).slice(0, length)) },
    { weight: 1, arbitrary: fc.tuple(right, right).map(([one, two]) => `${JSON.stringify(one)}${JSON.stringify(two)}`) },
    { weight: 1, arbitrary: right.map((frame) => JSON.stringify([frame, frame])) },
    { weight: 1, arbitrary: fc.constantFrom('null', '[]', '1', '"x"', '{}', '\ufeff{}', '1e999', '\r', '\0', 'x'.repeat(2_000_000)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  )
  .map((text) => Buffer.from(text))
  .chain((text) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(text) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.concat([text, bytes])) },
    ),
  );

/** Lines as they come through a pipe: cut anywhere. */
const pieces = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 12 }), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }))
  .map(([lines, cuts]) => {
    const whole = Buffer.concat(lines.flatMap((each) => [each, Buffer.from('\n')]));
    const ends = [...cuts.map((cut) => Math.floor(cut * whole.length)), whole.length].sort((a, b) => a - b);
    return ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end));
  });

function written(harness: FakeAgentHarness, all: readonly Buffer[]): string {
  const path = join(harness.outside, 'pieces.json');
  writeFileSync(path, JSON.stringify(all.map((piece) => piece.toString('base64'))));
  return path;
}

async function started(harness: FakeAgentHarness) {
  const session = await harness.provider.start({
    ...{ agentId: 'a', sessionId: 's', cwd: harness.cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env: harness.env },
    onProcess: () => {},
  });
  const log = new EventLog(session);
  /** A whole turn in which the agent says these words. */
  const isHeard = async (words: string) => {
    const after = log.events.length;
    await session.prompt({ text: `say: ${words}`, messageIds: [] }, { mode: 'next' });
    await log.waitFor('text.completed', ({ text }) => text.includes(words), { after });
  };
  return { session, log, isHeard };
}

/** The first let a turn wait for ever, the second ended the session. */
const known = [
  '{"jsonrpc":"2.0","id":"$PROMPT","method":{"length":5},"result":{"stopReason":"end_turn"}}',
  '{"jsonrpc":"2.0","method":"session/update","params":[null]}',
];

test('whatever lines an agent writes, its session goes on and the next prompt is heard', async () => {
  const harness = await fakeAgentHarness();
  cleanUps.push(() => harness.close());
  const { session, log, isHeard } = await started(harness);
  cleanUps.push(() => harness.provider.close());
  let count = 0;
  await fc.assert(
    fc.asyncProperty(pieces, async (all) => {
      const path = written(harness, all);
      count += 1;
      await session.prompt({ text: `write: ${path} && then say: wrote it`, messageIds: [count] }, { mode: 'next' });
      await isHeard(`alive ${count}.`);
    }),
    { numRuns: 600, endOnFailure: true, examples: known.map((text) => [[Buffer.from(`${text}\n`)]]) },
  );
  await session.close();
  await log.finished;
  expect(brokenEventRules(log.events)).toEqual([]);
  expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'closed' });
});

test('what an agent writes before it is spoken to is passed over, or refuses its start in words', async () => {
  const harness = await fakeAgentHarness();
  cleanUps.push(() => harness.close());
  cleanUps.push(() => harness.provider.close());
  await fc.assert(
    fc.asyncProperty(pieces, async (all) => {
      const env = { ...harness.env, FAKE_ACP_FIRST: written(harness, all) };
      const start = await started({ ...harness, env }).catch((error: unknown) => error);
      if (start instanceof Error) expect(start).toMatchObject({ name: 'RelayError', message: expect.stringMatching(/\w{5}/u) });
      else {
        const { session, log, isHeard } = start as Awaited<ReturnType<typeof started>>;
        await isHeard('alive.');
        await session.close();
        await log.finished;
        expect(brokenEventRules(log.events)).toEqual([]);
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

test('an agent that ends within a line has crashed, and its turn with it', async () => {
  const harness = await fakeAgentHarness();
  cleanUps.push(() => harness.close());
  const { session, log } = await started(harness);
  cleanUps.push(() => harness.provider.close());
  const half = written(harness, [Buffer.from('{"jsonrpc":"2.0","method":"session/update","params":{"sess')]);
  await session.prompt({ text: `write: ${half} && then exit 3`, messageIds: [] }, { mode: 'next' });
  await log.finished;
  expect(log.ofType('turn.failed')).toMatchObject([{ error: { code: 'agent_crashed' } }]);
  expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'crashed' });
  expect(brokenEventRules(log.events)).toEqual([]);
});
