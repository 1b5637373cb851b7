import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readClientMessage } from '../src/agent-ws/read-client-message.ts';
import { readFrame, readHandshake } from '../src/ai-relay/read-frame.ts';
import { connect, startBridge } from './bridge-world.ts';

const value = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('', '.', '..', '\0', -1, 0, 1e9, [], {}, 'x'.repeat(5_000)));
const words = [
  'prompt',
  'cancel',
  'capabilities',
  'attach',
  'detach',
  'control',
  'sessions',
  'user_message',
  'interrupt',
  'permission_response',
  'set_model',
];
const fields = ['prompt', 'requestId', 'projectId', 'systemPrompt', 'images', 'files', 'provider', 'model', 'thinkingTokens', 'queue'];
const others = ['sessionId', 'after', 'role', 'text', 'content', 'request_id', 'behavior', 'tool', 'folder', 'env', 'extra_args', 'mode'];
const frame = fc
  .tuple(fc.option(fc.constantFrom(...words)), fc.dictionary(fc.constantFrom(...fields, ...others), value))
  .map(([type, rest]) => JSON.stringify(type === null ? rest : { type, ...rest }));
const anything = fc.oneof(frame, fc.string(), fc.json());

test('no frame makes the readers throw', () => {
  fc.assert(
    fc.property(anything, (text) => {
      for (const version of ['1.1', '1.2'] as const) readClientMessage(text, { version, providers: ['claude'] });
      readFrame(text);
      readHandshake(text);
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  ['agent-ws', ''],
  ['agent-ws', '?version=1.2'],
  ['ai-relay', ''],
] as const)('no frames end a bridge, or a neighbour: %s %s', async (protocol, query) => {
  const { url, claude } = await startBridge({ protocol, maxConnectionsPerAddress: 1_000, mode: 'agentic' });
  const neighbour = await connect(url);
  if (protocol === 'ai-relay') neighbour.send({ tool: 'claude' });
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 12 }), async (texts) => {
      const client = await connect(`${url}${query}`);
      if (protocol === 'ai-relay') client.send({ tool: 'claude' });
      for (const text of texts) client.send(text);
      client.socket.close();
      await client.closed;
    }),
    { numRuns: 60 },
  );
  neighbour.send(protocol === 'ai-relay' ? { text: 'say alive' } : { type: 'prompt', prompt: 'say alive', requestId: 'n' });
  expect(await neighbour.next(({ type }) => type === 'response' || type === 'complete')).toBeDefined();
  neighbour.socket.close();
  await expect
    .poll(() => claude.sessions.length - claude.closedCount, { timeout: 20_000 })
    .toBeLessThanOrEqual(protocol === 'agent-ws' ? 60 : 0);
});
