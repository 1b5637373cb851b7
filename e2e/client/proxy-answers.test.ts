import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { describe, expect, test } from 'vitest';
import { startStandingInProxy } from '../support/standing-in-proxy.ts';
import { until } from '../support/until.ts';

const answers = [
  { status: 502, contentType: 'text/html', body: '<html>Bad gateway</html>' },
  { status: 404, contentType: 'text/plain', body: 'no such backend' },
  { status: 401, contentType: 'text/html', body: '<html>Sign in</html>' },
  { status: 200, contentType: 'text/html', body: '<html>Starting</html>' },
] as const;

describe.each(['http', 'socket'] as const)('over %s', (transport) => {
  test.each(answers)('a proxy that answers $status in the place of the relay ends no stream', async (answer) => {
    await using server = await startTestRelay();
    await using proxy = await startStandingInProxy(server.url);
    await using direct = createNodeRelayClient({ url: server.url, token: server.ownerToken });
    await using relay = createNodeRelayClient({ url: proxy.url, token: server.ownerToken, transport });
    await using reader = await relay.register({ name: 'reader' });
    const read: string[] = [];
    const stop = new AbortController();
    const failures: unknown[] = [];
    const follow = async (each: AsyncIterable<unknown>, name: (value: never) => string) => {
      try {
        for await (const value of each) read.push(name(value as never)); // each stream with the reader of its own values
      } catch (error) {
        failures.push(error);
      }
    };
    const streams = [
      follow(reader.inbox({ signal: stop.signal }), ({ body }: { body: string }) => `inbox ${body}`),
      follow(
        relay.events({ types: ['message'], signal: stop.signal, onConnection: (state) => read.push(state) }),
        ({ type }: { type: string }) => `event ${type}`,
      ),
      follow(relay.activity('reader', { signal: stop.signal }), () => 'activity'),
    ];
    await until('the open log', () => read.includes('connected'));
    await direct.messages.send({ to: 'reader', body: 'before' });
    await until('the first message', () => read.includes('inbox before') && read.includes('event message.new'));
    proxy.answerWith(answer);
    await until('several refused attempts', () => proxy.answered >= 6);
    await direct.messages.send({ to: 'reader', body: 'meanwhile' });
    await expect(relay.messages.send({ to: 'reader', body: 'lost' })).rejects.toMatchObject({ code: 'connection_closed', retryable: true });
    proxy.passOn();
    await until('the message of meanwhile', () => {
      const events = read.filter((each) => each === 'event message.new');
      return read.includes('inbox meanwhile') && events.length === 2;
    });
    expect(failures).toEqual([]);
    stop.abort();
    await Promise.all(streams);
  });
});
