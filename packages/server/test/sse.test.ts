import { type IncomingMessage, request } from 'node:http';
import type { RelayEvent } from 'agent-relay-protocol';
import { parseSseStream, type SseEvent } from 'agent-relay-wire';
import { describe, expect, test } from 'vitest';
import { OWNER_TOKEN, openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

const asOwner = { authorization: `Bearer ${OWNER_TOKEN}` };

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
    const { cursor, generation } = await server.call('messages/cursor', {});
    const response = await fetch(`${server.url}/api/events?after=${cursor}`, { headers: asOwner });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect([response.headers.get('x-relay-cursor'), response.headers.get('x-relay-generation')]).toEqual([String(cursor), generation]);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('retry: 1000\n\n');
    const [id = 0] = await server.append(1, 'line one\nline two');
    const block = new TextDecoder().decode((await reader?.read())?.value);
    const [first, second, data = '', ...rest] = block.split('\n');
    expect([first, second, rest]).toEqual([`id: ${id}`, 'event: message.new', ['', '']]);
    expect(JSON.parse(data.slice('data: '.length))).toMatchObject({
      type: 'message.new',
      seq: id,
      message: { id, body: 'line one\nline two' },
    });
    await reader?.cancel();
  });

  test('whoever is concerned hears of it under its name: the one who offered, who was offered, who took it; others do not', async () => {
    await using server = await openServer();
    await server.register({ id: 'asker', name: 'asker' });
    await server.register({ id: 'taker', name: 'taker', tags: ['crew'] });
    await server.register({ id: 'other', name: 'other', tags: ['crew'] });
    await server.register({ id: 'stranger', name: 'stranger' });
    const after = await server.head();
    const { id } = await server.call('messages/send', { from: 'asker', to: 'tag:crew', body: 'work', claimable: true });
    const claim = await server.call('messages/claim', { id, agentId: 'taker' });
    await server.call('messages/remove', { id });
    await server.call('agents/status', { id: 'taker', status: 'busy' });
    await server.call('agents/remove', { id: 'taker' });
    const end = await server.head();
    // Written last, so that each stream has an end to be read up to.
    await server.call('messages/send', { to: 'broadcast', from: 'asker', body: 'the end' });
    const heardBy = async (who: string): Promise<[string, unknown][]> => {
      const heard: [string, unknown][] = [];
      const names = 'message.new,message.claimed,message.deleted,agent.status,agent.removed';
      const response = await fetch(`${server.url}/api/events?after=${after}&types=${names}${who}`, { headers: asOwner });
      if (!response.body) throw new Error('no body');
      for await (const { event = '', data } of parseSseStream(response.body)) {
        const body = JSON.parse(data) as { seq: number; message?: { from: string } };
        if (body.seq > end) break;
        // That a removed agent's mail failed is told to its senders, and is no part of this.
        if (body.message?.from !== 'relay') heard.push([event, body]);
      }
      return heard;
    };
    const offered = [
      ['message.new', { message: { id, from: 'asker', claimable: true }, matched: 2 }],
      ['message.claimed', { messageId: id, claim: { claimId: claim.claimId, agentId: 'taker', status: 'held' } }],
      ['message.deleted', { messageId: id }],
    ];
    const gone = [
      ['agent.status', { agent: { id: 'taker', status: 'busy' } }],
      ['agent.removed', { agentId: 'taker' }],
    ];
    expect(await heardBy('')).toMatchObject([...offered, ...gone]);
    expect(await heardBy('&for=asker')).toMatchObject(offered);
    expect(await heardBy('&for=other')).toMatchObject(offered);
    expect(await heardBy('&for=stranger')).toEqual([]);
  });

  test('Last-Event-ID wins over the address of the first visit', async () => {
    await using server = await openServer();
    const ids = await server.append(10);
    const events = await take(`${server.url}/api/events?after=0`, 3, { ...asOwner, 'last-event-id': String(ids[6]) });
    expect(events.map(({ id }) => Number(id))).toEqual(ids.slice(7));
  });

  test('events that share a cursor move it only with the last of them', async () => {
    const event = (seq: number): RelayEvent => ({ type: 'message.deleted', seq, at: 1, messageId: seq });
    const batches = async function* () {
      yield { events: [event(7), event(7), event(8)] };
    };
    await using server = await openServer({
      replace: () => ({ openEvents: async () => ({ cursor: 6, generation: 'g', batches: batches() }) }),
    });
    const events = await take(`${server.url}/api/events`, 3);
    expect(events.map(({ id }) => id)).toEqual([undefined, '7', '8']);
  });

  test('a reset carries the head as its id, and ends the stream', async () => {
    await using server = await openServer();
    const head = await server.head();
    const answer = await rawRequest(`${server.url}/api/events`, { headers: { 'last-event-id': '4200' } });
    expect(answer.text).toMatch(new RegExp(`^retry: 1000\\n\\nid: ${head}\\nevent: reset\\ndata: \\{"reason":"ahead",.*\\}\\n\\n$`, 'u'));
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
    const after = await server.head();
    const expected = await server.append(2_000, 'x'.repeat(30_000));
    let text = '';
    let tail = ''; // of 60 megabytes
    const reading = await new Promise<IncomingMessage>((resolve) => {
      request(`${server.url}/api/events?after=${after}&types=message`, { headers: asOwner }, resolve).end();
    });
    reading.setEncoding('utf8');
    reading.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // A page is half a megabyte here, and the log 60: a few more than the kernel takes for a reader that does not read.
    expect(server.pagesRead).toBeLessThan(40);
    reading.on('data', (chunk: string) => {
      text += chunk;
      tail = `${tail}${chunk}`.slice(-40_000);
    });
    reading.resume();
    const last = `id: ${expected.at(-1)}\n`;
    await poll('everything', () => tail.includes(last) && tail.endsWith('\n\n'));
    const ids = [...text.matchAll(/^id: (\d+)$/gmu)].map((match) => Number(match[1]));
    expect(ids).toEqual(expected);
    reading.destroy();
  });
});
