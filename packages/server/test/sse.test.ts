import { type IncomingMessage, request } from 'node:http';
import { parseSseStream, type SseEvent } from 'agent-relay-wire';
import { describe, expect, test } from 'vitest';
import { openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

async function take(url: string, count: number, headers: Record<string, string> = {}): Promise<SseEvent[]> {
  const response = await fetch(url, { headers });
  const events: SseEvent[] = [];
  if (!response.body) throw new Error('no body');
  for await (const event of parseSseStream(response.body)) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

describe('the event stream', () => {
  test('says at once where it stands, then every event with its cursor, name and data', async () => {
    await using server = await openServer();
    const response = await fetch(`${server.url}/api/events?after=0`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect([response.headers.get('x-relay-cursor'), response.headers.get('x-relay-generation')]).toEqual(['0', 'g1']);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('retry: 1000\n\n');
    server.relay.append('line one\nline two');
    const block = new TextDecoder().decode((await reader?.read())?.value);
    expect(block).toBe(`id: 1\nevent: message.new\ndata: ${JSON.stringify(server.relay.log[0])}\n\n`);
    await reader?.cancel();
  });

  test('Last-Event-ID wins over the address of the first visit', async () => {
    await using server = await openServer();
    for (let count = 0; count < 10; count += 1) server.relay.append('x');
    const events = await take(`${server.url}/api/events?after=0`, 3, { 'last-event-id': '7' });
    expect(events.map(({ id }) => id)).toEqual(['8', '9', '10']);
  });

  test('events that share a cursor move it only with the last of them', async () => {
    await using server = await openServer();
    server.relay.append('x');
    const [first] = server.relay.log;
    if (first) server.relay.log.push({ type: 'message.read', seq: first.seq, at: 1, messageId: 1, agentId: 'owner' });
    const [one, two] = await take(`${server.url}/api/events?after=0`, 2);
    expect([one?.event, one?.id, two?.event, two?.id]).toEqual(['message.new', undefined, 'message.read', '1']);
  });

  test('a reset carries the head as its id, and ends the stream', async () => {
    await using server = await openServer();
    const answer = await rawRequest(`${server.url}/api/events`, { headers: { 'last-event-id': '42' } });
    expect(answer.text).toBe('retry: 1000\n\nid: 0\nevent: reset\ndata: {"reason":"ahead","oldest":1,"head":0,"generation":"g1"}\n\n');
  });

  test('a wrong filter is an error before the stream begins', async () => {
    await using server = await openServer();
    const answers = await Promise.all([
      rawRequest(`${server.url}/api/events?type=x`),
      rawRequest(`${server.url}/api/events?after=-1`),
      rawRequest(`${server.url}/api/events`, { headers: { 'last-event-id': 'garbage' } }),
      rawRequest(`${server.url}/api/events`, { method: 'POST' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 405]);
  });

  test('comments show a silent relay to be alive; a drain ends the stream', async () => {
    await using server = await openServer({ sseHeartbeatMs: 20 });
    const response = await fetch(`${server.url}/api/events`);
    const text = response.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.drain();
    expect(await text).toMatch(/^retry: 1000\n\n(?:: \n\n)+$/u);
  });

  test('a reader that stops reading is not pulled for, and misses nothing when it comes back', async () => {
    await using server = await openServer();
    for (let count = 0; count < 1_000; count += 1) server.relay.append('x'.repeat(60_000));
    let text = '';
    const reading = await new Promise<IncomingMessage>((resolve) => {
      request(`${server.url}/api/events?after=0`, resolve).end();
    });
    reading.setEncoding('utf8');
    reading.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.relay.pagesRead).toBeLessThan(8);
    reading.on('data', (chunk: string) => {
      text += chunk;
    });
    reading.resume();
    await poll('everything', () => text.length > 60_000_000 && text.endsWith('\n\n'));
    const ids = [...text.matchAll(/^id: (\d+)$/gmu)].map((match) => Number(match[1]));
    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    reading.destroy();
  });
});
