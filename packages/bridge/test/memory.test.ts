import { expect, test } from 'vitest';
import { OpenTools } from '../src/agent-ws/open-tools.ts';
import { Journal } from '../src/sessions/journal.ts';
import { SharedRoom } from '../src/sessions/shared-room.ts';
import { connect, startBridge } from './bridge-world.ts';

test('what tools are given is weighed: of a long turn no more is kept than of a long text', async () => {
  const { url } = await startBridge();
  const [controller, observer] = [await connect(`${url}?version=1.2`), await connect(`${url}?version=1.2`)];
  observer.send({ type: 'attach', projectId: 'p' });
  const { sessionId } = await observer.next(({ type }) => type === 'attached');
  controller.send({ type: 'prompt', prompt: 'tools 100', requestId: 'r1', projectId: 'p' });
  expect(await controller.end('r1')).toMatchObject({ type: 'complete' });
  expect(controller.frames.filter(({ type }) => type === 'tool_event')).toHaveLength(200);
  const late = await connect(`${url}?version=1.2`);
  late.send({ type: 'attach', sessionId, after: 0 });
  expect(await late.next(({ type }) => type === 'gap')).toMatchObject({ sessionId });
  await late.end('r1');
  // Four million characters and a quarter, of 300 kB each.
  expect(late.frames.filter(({ input }) => input !== undefined).length).toBeLessThan(18);
});

test('large entries go when their weight is too much, be they few', () => {
  const journal = new Journal<number>({ keep: 1_000 });
  for (let at = 1; at <= 20; at++) journal.push(at, 900);
  const { entries, missed } = journal.take(journal.open(0, false), 100);
  expect(entries.map(({ frame }) => frame)).toEqual([19, 20]);
  expect(missed).toBe(18);
  const more = new Journal<number>({ lag: 1_000 });
  for (let at = 1; at <= 9; at++) more.push(at, 900);
  expect(more.take(more.open(0, false), 100).entries).toHaveLength(2);
});

test('what tools were given is repeated at their end, of those that were begun last', () => {
  const tools = new OpenTools();
  for (let at = 0; at < 30; at++) tools.add({ toolName: 'Bash', toolId: `t${at}`, input: 'x'.repeat(300_000) });
  expect(tools.take('t0')).toBeUndefined();
  expect(tools.take('t29')).toMatchObject({ toolId: 't29', input: expect.any(String) });
  for (let at = 0; at < 2_000; at++) tools.add({ toolName: 'Read', toolId: `s${at}` });
  expect([tools.take('s0'), tools.take('s1999')]).toEqual([undefined, { toolName: 'Read', toolId: 's1999' }]);
});

test('what several keep together is bounded: the one that has been quiet longest gives first, what somebody waits for stays', () => {
  const room = new SharedRoom(10_000);
  const [quiet, read, busy] = [0, 1, 2].map(() => new Journal<number>({ keep: 8_000, room }));
  if (!quiet || !read || !busy) throw new Error('there are three');
  const tools = new OpenTools(room);
  for (let at = 1; at <= 4; at++) quiet.push(at, 900);
  const reader = read.open(0, true);
  for (let at = 1; at <= 2; at++) read.push(at, 900);
  tools.add({ toolName: 'Bash', toolId: 't', input: 'x'.repeat(2_000) });
  for (let at = 1; at <= 4; at++) busy.push(at, 900);
  expect(room.total).toBeLessThanOrEqual(10_000);
  expect(quiet.take(quiet.open(0, false), 100)).toMatchObject({ entries: [{ frame: 4 }], missed: 3 });
  for (let at = 5; at <= 40; at++) busy.push(at, 900);
  expect(room.total).toBeLessThanOrEqual(10_000);
  expect(quiet.take(quiet.open(0, false), 100)).toEqual({ entries: [], missed: 4 });
  expect(tools.take('t')).toBeUndefined();
  expect(read.take(reader, 100).entries.map(({ frame }) => frame)).toEqual([1, 2]);
  for (const journal of [quiet, read, busy]) journal.leave();
  expect(room.total).toBe(0);
});

test('of many sessions no more is kept than of a few', async () => {
  const { url } = await startBridge();
  const client = await connect(`${url}?version=1.2`);
  const projects = Array.from({ length: 18 }, (_, index) => `p${index}`);
  for (const projectId of projects) {
    client.send({ type: 'prompt', prompt: 'tools 16', requestId: projectId, projectId });
    await client.end(projectId);
  }
  const late = await connect(`${url}?version=1.2`);
  let kept = 0;
  late.socket.on('message', (data) => (kept += String(data).length));
  for (const projectId of projects) late.send({ type: 'attach', projectId, after: 0 });
  await late.end('p17');
  // Each alone keeps four million characters and a quarter.
  expect(kept).toBeGreaterThan(40 << 20);
  expect(kept).toBeLessThan(66 << 20);
});

test('prompts that wait count together, whoever sent them', async () => {
  const { url } = await startBridge();
  const image = { media_type: 'image/png', data: 'A'.repeat(10_000_000) };
  const answers: unknown[] = [];
  for (let index = 0; index < 7; index++) {
    const client = await connect(`${url}?version=1.2`);
    client.send({ type: 'prompt', prompt: 'hang', requestId: 'first', projectId: `p${index}` });
    client.send({ type: 'prompt', prompt: 'say it', requestId: 'second', projectId: `p${index}`, images: [image], queue: true });
    answers.push((await client.next(({ type, requestId }) => requestId === 'second' && type !== 'prompted'))['type']);
  }
  expect(answers).toEqual([...Array(6).fill('queued'), 'error']);
});

test('of sessions that nobody follows the last ones are kept', async () => {
  const { url, claude } = await startBridge();
  const clients = [await connect(`${url}?version=1.2`), await connect(`${url}?version=1.2`)];
  for (const [at, client] of clients.entries()) {
    for (let index = 0; index < 130; index++) {
      client.send({ type: 'prompt', prompt: 'say it', requestId: `${index}`, projectId: `p${at}-${index}`, queue: true });
      // So many may wait.
      if (index % 60 === 59 || index === 129) await client.end(`${index}`);
    }
    client.socket.close();
    await client.closed;
  }
  await expect.poll(() => claude.closedCount).toBe(4);
  const late = await connect(`${url}?version=1.2`);
  late.send({ type: 'sessions' });
  const { sessions } = await late.next(({ type }) => type === 'sessions');
  const left = (sessions as readonly { readonly projectId: string }[]).map(({ projectId }) => projectId);
  expect([left.length, left.includes('p0-3'), left.includes('p0-4')]).toEqual([256, false, true]);
});
