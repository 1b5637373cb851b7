import { silentLog } from 'agent-relay-wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readClientMessage } from '../src/agent-ws/read-client-message.ts';
import { readFrame, readHandshake } from '../src/ai-relay/read-frame.ts';
import { type Client, connect, type Frame, startBridge } from './bridge-world.ts';

const oddities: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', ' ', '.', '..', '../x', '\0', '\ud800', '\u202e', '__proto__', 'true', '-p'],
  ...[[], [[]], [null], {}, { length: 5 }, { toString: 1 }, 'x'.repeat(300), 'x'.repeat(5_000), 'x'.repeat(100_000)],
];
const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...oddities) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });
const id = fc.constantFrom('a', 'b', 'c');
const prompt = fc.constantFrom('say it', 'echo', 'edit made.txt', 'stream 20', 'tools 2', 'crash 3', 'hang', 'mute', 'ask');
const image = { media_type: 'image/png', data: 'iVBORw0KGgo=' };
const file = { path: 'a.txt', content: 'x' };

/** Frames as clients send them. */
const right = {
  'agent-ws': fc.oneof(
    fc.record(
      {
        ...{ type: fc.constant('prompt'), prompt, requestId: id, projectId: id, provider: fc.constantFrom('claude', 'codex') },
        ...{ systemPrompt: fc.constantFrom('', 'Be brief.'), images: fc.constant([image]), files: fc.constant([file]) },
        ...{ model: fc.constantFrom('m', 'broken'), thinkingTokens: fc.nat(9_000), queue: fc.constant(true) },
      },
      { requiredKeys: ['type', 'prompt', 'requestId'] },
    ),
    fc.record({ type: fc.constant('cancel'), requestId: id }, { requiredKeys: ['type'] }),
    fc.record({ type: fc.constantFrom('capabilities', 'sessions') }),
    fc.record(
      { type: fc.constant('attach'), projectId: id, after: fc.nat(50), role: fc.constantFrom('controller', 'observer') },
      { requiredKeys: ['type', 'projectId'] },
    ),
    fc.record({ type: fc.constantFrom('detach', 'control'), sessionId: id }),
  ),
  'ai-relay': fc.oneof(
    fc.record({ text: prompt }),
    fc.record({ type: fc.constant('user_message'), content: fc.constantFrom('say it', [{ type: 'text', text: 'say it' }]) }),
    fc.record({ type: fc.constant('interrupt') }),
    fc.record({ type: fc.constant('permission_response'), request_id: id, behavior: fc.constantFrom('allow', 'deny') }),
    fc.record({ type: fc.constant('set_model'), model: fc.constantFrom('m', 'broken') }),
    fc.record({ text: fc.constantFrom('/clear', '/compact', '/nothing') }),
  ),
};
const fields = ['type', 'prompt', 'requestId', 'projectId', 'provider', 'images', 'files', 'sessionId', 'after', 'role', 'queue', 'model'];
const others = ['text', 'content', 'request_id', 'behavior', 'tool', 'folder', 'env', 'extra_args', 'mode', '__proto__', 'constructor', ''];

type Protocol = keyof typeof right;
type Sent = string | Buffer;

/** Right frames, those with a field or two that are not, and what is no frame at all. */
function sentTo(protocol: Protocol): fc.Arbitrary<Sent> {
  const known = right[protocol] as fc.Arbitrary<Record<string, unknown>>;
  const spoiled = fc
    .tuple(known, fc.dictionary(fc.constantFrom(...fields, ...others), value, { minKeys: 1, maxKeys: 2 }))
    .map(([frame, wrong]) => JSON.stringify({ ...frame, ...wrong }));
  const whole = known.map((frame) => JSON.stringify(frame));
  const garbage = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.tuple(whole, fc.nat(100)).map(([text, length]) => text.slice(0, length)),
    whole.map((text) => `[${text},${text}]`),
    whole.map((text) => text.replace('{', '{"__proto__":{"type":"prompt"},"constructor":{"prototype":{}},')),
    fc.constantFrom('null', '[]', '1', '"x"', '{}', '\ufeff{}', '{"type":{}}', '{"type":"__proto__"}', '1e999'),
    fc.constantFrom(`${'['.repeat(20_000)}${']'.repeat(20_000)}`, '{"a":'.repeat(5_000), 'x'.repeat(1_000_000)),
    fc.uint8Array({ maxLength: 40 }).map((bytes): Sent => Buffer.from(bytes)),
  );
  return fc.oneof({ weight: 5, arbitrary: whole }, { weight: 4, arbitrary: spoiled }, { weight: 3, arbitrary: garbage });
}

test('no frame makes the readers throw', () => {
  fc.assert(
    fc.property(fc.oneof(sentTo('agent-ws'), sentTo('ai-relay')), (sent) => {
      const text = String(sent);
      for (const version of ['1.1', '1.2'] as const) readClientMessage(text, { version, providers: ['claude'] });
      readFrame(text);
      readHandshake(text);
    }),
    { numRuns: 3_000 },
  );
});

/** What a bridge must not say, whatever it is asked. */
const isBad = ({ type, message, text }: Frame): boolean =>
  typeof type !== 'string' ||
  (type === 'error' && `${message ?? text}`.length < 5) ||
  /TypeError|RangeError|SyntaxError|Cannot read|undefined|\[object/u.test(type === 'error' ? `${message ?? text}` : '');

test.each([
  ['agent-ws', ''],
  ['agent-ws', '?version=1.2'],
  ['ai-relay', ''],
] as const)(
  '5,000 frames end no bridge and no neighbour, are refused in words, and leave nothing: %s %s',
  { timeout: 240_000 },
  async (protocol, query) => {
    const faults: unknown[] = [];
    const log = { ...silentLog, error: (...said: unknown[]) => void faults.push(said) };
    const options = { maxConnectionsPerAddress: 1_000, mode: 'agentic', keepMs: 100, log } as const;
    const { url, claude, codex } = await startBridge({ protocol, ...options });
    const neighbour = await connect(url);
    if (protocol === 'ai-relay') neighbour.send({ tool: 'claude' });
    const isWell = async (requestId: string) => {
      neighbour.send(protocol === 'ai-relay' ? { text: 'say alive' } : { type: 'prompt', prompt: 'say alive', requestId });
      expect(await neighbour.next(({ type }) => type === 'response' || type === 'complete')).toBeDefined();
    };
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(sentTo(protocol), { minLength: 100, maxLength: 100 }), async (all) => {
        const client = await connect(`${url}${query}`);
        if (protocol === 'ai-relay') client.send({ tool: 'claude' });
        for (const sent of all) client.socket.send(sent);
        count += all.length;
        await isWell(`${count}`);
        await leave(client);
        expect(client.frames.filter(isBad)).toEqual([]);
      }),
      { numRuns: 50, endOnFailure: true },
    );
    expect([count, faults]).toEqual([5_000, []]);
    await leave(neighbour);
    const running = () => [claude, codex].map(({ sessions, closedCount }) => sessions.length - closedCount);
    await expect.poll(running).toEqual([0, 0]);
  },
);

async function leave(client: Client): Promise<void> {
  client.socket.close();
  await client.closed;
}
