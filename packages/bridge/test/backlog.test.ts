import { expect, test } from 'vitest';
import { connect, startBridge } from './bridge-world.ts';

const open = (url: string) => connect(`${url}?version=1.2`);
const prompt = (requestId: string, text: string, more: object = {}) => ({ type: 'prompt', prompt: text, requestId, queue: true, ...more });

test('64 prompts wait in a session, of whatever connections, and room comes again with each that ends', async () => {
  const { url, claude } = await startBridge();
  const [first, second] = [await open(url), await open(url)];
  for (let at = 0; at < 64; at++) first.send(prompt(`a${at}`, 'hang', { projectId: 'p' }));
  await first.next(({ type, position }) => type === 'queued' && position === 63);
  second.send({ type: 'attach', projectId: 'p' });
  const { sessionId } = await second.next(({ type }) => type === 'attached');
  second.send({ type: 'control', sessionId });
  second.send(prompt('b', 'say b', { sessionId }));
  expect(await second.end('b')).toMatchObject({ type: 'error', message: 'Too many prompts wait' });
  first.send(prompt('c', 'say c', { projectId: 'q' }));
  expect(await first.end('c')).toMatchObject({ type: 'error', message: 'Too many prompts wait' });
  second.send({ type: 'cancel' });
  await second.end('a63');
  second.send(prompt('d', 'say d', { sessionId }));
  expect(await second.end('d')).toMatchObject({ type: 'complete' });
  expect(claude.sessions).toHaveLength(1);
});

test('what waits is weighed, and one prompt alone may be as large as the protocol says', async () => {
  const { url } = await startBridge();
  const client = await open(url);
  const large = (requestId: string) => prompt(requestId, `hang ${'x'.repeat(500_000)}`, { projectId: 'p' });
  for (let at = 0; at < 40; at++) client.send(large(`r${at}`));
  expect(await client.end('r39')).toMatchObject({ message: 'Too many prompts wait' });
  expect(await client.end('r33')).toMatchObject({ message: 'Too many prompts wait' });
  await client.next(({ type, requestId }) => type === 'queued' && requestId === 'r32');
  client.send({ type: 'cancel' });
  await client.end('r32');
  const files = [{ path: 'large', content: 'x'.repeat(20_000_000) }];
  client.send(prompt('last', 'say x', { projectId: 'p', files }));
  expect(await client.end('last')).toMatchObject({ type: 'complete' });
});

test('a connection follows 256 sessions, and those in which nothing was asked go with it', async () => {
  const { url } = await startBridge();
  const client = await open(url);
  for (let at = 0; at < 300; at++) client.send({ type: 'attach', projectId: `p${at}` });
  expect(await client.next(({ type }) => type === 'error')).toMatchObject({ message: expect.stringContaining('at most 256') });
  client.send({ type: 'attach', projectId: 'p0' });
  expect(await client.next(({ type, projectId, seq }) => type === 'attached' && projectId === 'p0' && seq === 0)).toBeTruthy();
  client.send(prompt('r', 'say x', { projectId: 'p300' }));
  expect(await client.end('r')).toMatchObject({ message: expect.stringContaining('at most 256') });
  client.socket.terminate();
  const other = await open(url);
  await expect
    .poll(async () => {
      other.send({ type: 'sessions' });
      return (await other.next(({ type }) => type === 'sessions'))['sessions'];
    })
    .toEqual([]);
});

test('ai-relay: what waits for an agent is bounded', async () => {
  const { url, claude } = await startBridge({ protocol: 'ai-relay' });
  const client = await connect(url);
  client.send({ tool: 'claude', folder: '.' });
  await client.next(({ type }) => type === 'session_start');
  const [session] = claude.sessions;
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  if (session) session.prompt = () => released;
  for (let at = 0; at < 70; at++) client.send({ text: `say ${at}` });
  expect(await client.next(({ type }) => type === 'error')).toMatchObject({ text: 'Too many requests wait' });
  release();
  await client.next(({ type, text }) => type === 'input_ack' && text === 'say 63');
});
