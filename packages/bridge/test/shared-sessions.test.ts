import { expect, test } from 'vitest';
import { type Client, connect, startBridge } from './bridge-world.ts';

const prompt = (text: string, more: object = {}) => ({ type: 'prompt', prompt: text, requestId: 'r1', projectId: 'p', ...more });
const of = (type: string) => (frame: Readonly<Record<string, unknown>>) => frame['type'] === type;

async function shared(keepMs = 60_000) {
  const world = await startBridge({ keepMs });
  const open = () => connect(`${world.url}?version=1.2`);
  return { ...world, open };
}

const attach = async (client: Client, more: object) => {
  client.send({ type: 'attach', ...more });
  return client.next((frame) => frame['type'] === 'attached' || (frame['type'] === 'error' && !('requestId' in frame)));
};

test('one controls, others look on, and both read the same frames under the same numbers', async () => {
  const { open } = await shared();
  const [controller, observer] = [await open(), await open()];
  expect(controller.frames[0]).toMatchObject({ type: 'connected', version: '1.2' });
  const { sessionId, role } = await attach(controller, { projectId: 'p', role: 'controller' });
  expect(role).toBe('controller');
  expect(await attach(observer, { sessionId, role: 'controller' })).toMatchObject({ sessionId, role: 'observer', projectId: 'p', seq: 0 });
  controller.send(prompt('say hello'));
  await controller.end('r1');
  await observer.end('r1');
  const told = (client: Client) => client.frames.filter(({ seq, requestId }) => seq !== undefined && requestId !== undefined);
  expect(told(observer)).toEqual([
    { type: 'prompted', requestId: 'r1', content: 'say hello', sessionId, seq: 1 },
    { type: 'chunk', content: 'hello', requestId: 'r1', sessionId, seq: 2 },
    { type: 'complete', requestId: 'r1', sessionId, seq: 3 },
  ]);
  expect(told(controller)).toEqual(told(observer));
  observer.send({ type: 'sessions' });
  const { sessions } = await observer.next(of('sessions'));
  expect(sessions).toEqual([{ sessionId, provider: 'claude', projectId: 'p', isBusy: false, seq: 3, connections: 2 }]);
});

test('an observer may not prompt until it takes control', async () => {
  const { open } = await shared();
  const [first, second] = [await open(), await open()];
  first.send(prompt('say x'));
  await first.end('r1');
  const { sessionId } = await attach(second, { projectId: 'p' });
  second.send(prompt('say y', { requestId: 'r2' }));
  expect(await second.end('r2')).toMatchObject({ type: 'error', message: expect.stringContaining('send control first') });
  second.send({ type: 'control', sessionId });
  expect(await second.next(of('role'))).toEqual({ type: 'role', sessionId, role: 'controller' });
  expect(await first.next(of('role'))).toEqual({ type: 'role', sessionId, role: 'observer' });
  second.send({ ...prompt('say y', { requestId: 'r3' }), projectId: undefined, sessionId });
  expect(await first.end('r3')).toMatchObject({ type: 'complete', sessionId });
});

test('prompts wait where the client asks for it, and each can be cancelled by its id', async () => {
  const { open, claude } = await shared();
  const client = await open();
  client.send(prompt('hang', { requestId: 'a' }));
  client.send(prompt('say b', { requestId: 'b' }));
  expect(await client.end('b')).toMatchObject({ message: 'Request already in progress' });
  client.send(prompt('say c', { requestId: 'c', queue: true }));
  client.send(prompt('say d', { requestId: 'd', queue: true }));
  expect(await client.next(of('queued'))).toEqual({ type: 'queued', requestId: 'c', position: 1 });
  expect(await client.next(of('queued'))).toEqual({ type: 'queued', requestId: 'd', position: 2 });
  client.send({ type: 'cancel', requestId: 'c' });
  expect(await client.end('c')).toMatchObject({ message: 'Request cancelled' });
  await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
  client.send({ type: 'cancel', requestId: 'a' });
  expect(await client.end('d')).toMatchObject({ type: 'complete' });
  expect(claude.sessions[0]?.prompts.map(({ text }) => text)).toEqual(['hang', 'say d']);
});

test('what runs goes on without its connection, and is read from where the client stood, with nothing lost or twice', async () => {
  const { open, claude } = await shared();
  const before = await open();
  before.send(prompt('stream 3000'));
  await before.next(({ seq }) => Number(seq) >= 20);
  before.socket.terminate();
  const last = Math.max(...before.frames.map(({ seq = 0 }) => Number(seq)));
  const after = await open();
  const attached = await attach(after, { projectId: 'p', after: last, role: 'controller' });
  expect(attached).toMatchObject({ seq: last, role: 'controller' });
  expect(await after.end('r1')).toMatchObject({ type: 'complete' });
  const seqs = [...before.frames, ...after.frames].flatMap(({ type, seq }) =>
    seq === undefined || type === 'attached' ? [] : [Number(seq)],
  );
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, at) => at + 1));
  const text = [...before.frames, ...after.frames].flatMap(({ type, content }) => (type === 'chunk' ? [String(content)] : [])).join('');
  expect(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => Number(line.split(' ')[0])),
  ).toEqual(Array.from({ length: 3000 }, (_, at) => at));
  expect(claude.starts).toHaveLength(1);
});

test('a prompt can be cancelled by who comes back, and a session nobody comes back to ends', async () => {
  const { open, claude } = await shared(300);
  const before = await open();
  before.send(prompt('hang'));
  await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
  before.socket.terminate();
  await before.closed;
  const after = await open();
  await attach(after, { projectId: 'p', role: 'controller', after: 0 });
  after.send({ type: 'cancel', requestId: 'r1' });
  expect(await after.end('r1')).toMatchObject({ message: 'Request cancelled' });
  expect(claude.closedCount).toBe(0);
  after.socket.terminate();
  await expect.poll(() => claude.closedCount).toBe(1);
});

test('an observer that does not read holds nobody up, and is told what it missed', async () => {
  const { open, claude } = await shared();
  const [controller, observer] = [await open(), await open()];
  const { sessionId } = await attach(controller, { projectId: 'p', role: 'controller' });
  await attach(observer, { sessionId });
  observer.socket.pause();
  controller.send(prompt('stream 20000'));
  await controller.end('r1');
  expect(claude.sessions[0]?.emitted).toBe(20_000);
  observer.socket.resume();
  expect(await observer.next(of('gap'))).toMatchObject({ sessionId, seq: expect.any(Number) });
  expect(await observer.end('r1')).toMatchObject({ type: 'complete' });
});

test.each([
  [{ type: 'attach' }, "Missing 'sessionId' or 'projectId' field"],
  [{ type: 'attach', sessionId: 's', after: -1 }, "Invalid 'after' field"],
  [{ type: 'attach', sessionId: 's', role: 'king' }, "Invalid 'role' field"],
  [{ type: 'attach', sessionId: 'none' }, 'Unknown sessionId'],
  [{ type: 'attach', projectId: '..' }, 'Invalid projectId'],
  [{ type: 'detach' }, "Missing or empty 'sessionId' field"],
  [{ type: 'control', sessionId: 'none' }, 'Attach to a session before you take it'],
  [{ type: 'prompt', prompt: 'x', requestId: 'r', provider: 'pi' }, 'Unknown provider: pi (allowed: claude, codex)'],
])('%j is refused', async (frame, message) => {
  const { open } = await shared();
  const client = await open();
  client.send(frame);
  expect(await client.next(of('error'))).toEqual({ type: 'error', message });
});
