import { expect, test } from 'vitest';
import { createRelayClient } from '../src/relay-client.ts';

const answering = (status: number, body: object) =>
  createRelayClient({
    url: 'http://relay.test',
    fetch: async () => Response.json(body, { status, headers: { 'x-relay-version': '9.9.9' } }),
  });

test.each([
  [503, 'overloaded', true],
  [429, 'rate_limited', true],
  [403, 'forbidden', false],
  [418, 'internal', false],
])('a code that only a later relay knows, with status %i, is %s here, and is told besides', async (status, code, retryable) => {
  const error = { code: 'of_a_later_version', message: 'Not now.', details: { untilAt: 7 } };
  await expect(answering(status, { error }).agents.list()).rejects.toMatchObject({
    code,
    retryable,
    message: 'Not now.',
    details: { untilAt: 7, unknownCode: 'of_a_later_version' },
  });
});

test('a word that only a later relay knows is answered as it was said', async () => {
  const agent = { id: 'Worker', status: 'dreaming' };
  expect((await answering(200, { data: [agent], cursor: 1 }).agents.list()).data).toEqual([agent]);
});

test('events of types that only a later relay knows are skipped, and reading goes on behind them', async () => {
  const events = ['agent.dreamt', 'message.read', 'message.read'].map((type, index) => ({ type, seq: index + 1, at: 1, messageId: 1 }));
  const stream = events
    .map(({ seq, type, ...rest }) => `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ seq, type, ...rest })}\n\n`)
    .join('');
  const asked: string[] = [];
  const fetch = async (url: Parameters<typeof globalThis.fetch>[0]) => {
    asked.push(String(url));
    const shown = asked.length === 1 ? stream.slice(0, stream.indexOf('id: 2')) : stream.slice(stream.indexOf('id: 2'));
    return new Response(shown, { headers: { 'content-type': 'text/event-stream', 'x-relay-version': '9.9.9' } });
  };
  const client = createRelayClient({ url: 'http://relay.test', fetch });
  const read: number[] = [];
  for await (const { seq } of client.events({ after: 0 })) {
    read.push(seq);
    if (seq === 3) break;
  }
  expect(read).toEqual([2, 3]);
  expect(asked[1]).toContain('after=1');
});
