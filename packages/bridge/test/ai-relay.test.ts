import { silentLog } from 'agent-relay-wire';
import { describe, expect, test } from 'vitest';
import { slashCommand } from '../src/ai-relay/slash-commands.ts';
import { connect, startBridge } from './bridge-world.ts';

const start = async (options: Parameters<typeof startBridge>[0] = {}, handshake: object = {}) => {
  const world = await startBridge({ protocol: 'ai-relay', mode: 'agentic', ...options });
  const client = await connect(world.url);
  client.send({ tool: 'claude', folder: '.', ...handshake });
  return { ...world, client, event: (type: string) => client.next((frame) => frame['type'] === type) };
};

describe('the handshake', () => {
  test('starts an agent in a folder, and says so once it runs', async () => {
    const { event, claude, folder } = await start({}, { model: 'opus', session_id: 'mine' });
    expect(await event('session_start')).toEqual({
      ...{ type: 'session_start', ts: expect.any(Number), session_id: 'mine' },
      metadata: { tool: 'claude', folder, native_session_id: claude.sessions[0]?.vendorSessionId },
    });
    expect(claude.starts[0]).toMatchObject({ cwd: folder, mode: 'agentic', model: 'opus', ask: true });
  });

  test('is answered also for an agent that names its conversation with its first turn', async () => {
    const { url, claude, folder } = await startBridge({ protocol: 'ai-relay' });
    claude.isNamedLate = true;
    const client = await connect(url);
    client.send({ tool: 'claude', folder: '.' });
    await client.next(({ type }) => type === 'status');
    expect(client.frames[0]).toMatchObject({ type: 'session_start', metadata: { tool: 'claude', folder } });
  });

  test.each([
    ['no object', 'hello', /must be a JSON object/u],
    ['an unknown tool', { tool: 'cortex' }, /There is no tool cortex here; there are claude, codex/u],
    ['a folder that is none', { folder: '/no/such' }, /The folder \/no\/such does not exist/u],
    ['more than the bridge allows', { mode: 'unrestricted' }, /agentic mode at most/u],
    ['an environment', { env: { LD_PRELOAD: '/tmp/x.so' } }, /not allowed/u],
    ['arguments', { extra_args: ['--dangerously-skip-permissions'] }, /not allowed/u],
    ['an option for a model', { model: '--x' }, /name of a model/u],
  ])('%s is refused in words', async (_what, handshake, words) => {
    const { url, claude } = await startBridge({ protocol: 'ai-relay', mode: 'agentic' });
    const client = await connect(url);
    client.send(handshake);
    expect(await client.next(() => true)).toMatchObject({ type: 'error', session_id: '', text: expect.stringMatching(words) });
    expect((await client.closed).code).toBe(1000);
    expect(claude.starts).toEqual([]);
  });

  test('brings variables and arguments where that is allowed', async () => {
    const { event, claude } = await start({ allowHandshakeOptions: true }, { env: { FLAG: '1' }, extra_args: ['--verbose'] });
    await event('session_start');
    expect(claude.starts[0]).toMatchObject({ env: { FLAG: '1' }, extraArgs: ['--verbose'] });
  });

  test('an agent that does not start is an error, and the end', async () => {
    const { event, client } = await start({}, { model: 'broken' });
    expect(await event('error')).toMatchObject({ text: 'The model is broken', metadata: { code: 'provider_unavailable' } });
    expect((await client.closed).code).toBe(1000);
  });

  test('without a token only this machine is listened to', async () => {
    const options = { protocol: 'ai-relay', host: '0.0.0.0' } as const;
    await expect(startBridge(options)).rejects.toThrow(/Without a token/u);
    await startBridge({ ...options, authToken: 'secret' });
  });
});

describe('a session', () => {
  test('answers a text with pieces, the whole piece, and one response', async () => {
    const { client, event } = await start();
    client.send({ text: 'say hello' });
    expect(await event('input_ack')).toMatchObject({ text: 'say hello' });
    expect(await event('response')).toMatchObject({ text: 'hello', status: 'finished' });
    const types = client.frames.map(({ type }) => type).filter((type) => type !== 'status' && type !== 'input_ack');
    expect(types).toEqual(['session_start', 'user_message', 'stream_event', 'assistant_message', 'response']);
  });

  test('takes what is no JSON as text, and user messages in blocks', async () => {
    const { client, event } = await start();
    client.send('say plain');
    expect(await event('response')).toMatchObject({ text: 'plain' });
    client.send({ type: 'user_message', content: [{ type: 'text', text: 'say blocks' }] });
    expect(await event('response')).toMatchObject({ text: 'blocks' });
  });

  test('stops when it is told to', async () => {
    const { client, event } = await start();
    client.send({ text: 'hang' });
    await event('user_message');
    client.send({ type: 'interrupt' });
    expect(await event('response')).toMatchObject({ status: 'interrupted' });
  });

  test.each([
    [{ behavior: 'allow' }, 'allowed'],
    [{ allow: true }, 'allowed'],
    [{ decision: 'acceptForSession' }, 'allowed'],
    [{ optionId: 'allow_once' }, 'allowed'],
    [{ behavior: 'deny', message: 'no' }, 'denied'],
    [{}, 'denied'],
  ])('asks for a permission, and takes %j for %s', async (answer, outcome) => {
    const { client, event } = await start();
    client.send({ text: 'ask' });
    const asked = await event('permission_request');
    expect(asked).toMatchObject({ request_id: expect.any(String), args: { command: 'ls' }, text: 'Run ls' });
    client.send({ type: 'permission_response', request_id: asked['request_id'], ...answer });
    expect(await event('control_response')).toMatchObject({ request_id: asked['request_id'], status: outcome });
    expect(await event('response')).toMatchObject({ text: outcome });
  });

  test('/clear begins anew, set_model goes on, and the socket stays', async () => {
    const { client, event, claude } = await start();
    client.send({ text: 'say one' });
    await event('response');
    client.send({ text: '/clear' });
    client.send({ text: 'say two' });
    expect(await event('response')).toMatchObject({ text: 'two' });
    client.send({ type: 'set_model', model: 'haiku' });
    client.send({ text: 'say three' });
    expect(await event('response')).toMatchObject({ text: 'three' });
    expect(claude.starts.map(({ model, resume }) => [model, resume])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      ['haiku', claude.sessions[1]?.vendorSessionId],
    ]);
    expect(claude.closedCount).toBe(2);
    expect(client.frames.filter(({ type }) => type === 'session_end')).toEqual([]);
  });

  test('ends with its agent, and its agent with the socket', async () => {
    const { client, event } = await start();
    client.send({ text: 'crash 3' });
    expect(await event('session_end')).toMatchObject({ exit_code: 3, status: 'crashed' });
    await client.closed;
    const other = await start();
    await other.event('session_start');
    other.client.socket.terminate();
    await expect.poll(() => other.claude.closedCount).toBe(1);
  });

  test('a prompt that waits for another keeps no agent whose client is gone, nor does one that cannot be ended end the bridge', async () => {
    const faults: unknown[] = [];
    const log = { ...silentLog, error: (...said: unknown[]) => void faults.push(said) };
    const { client, event, claude, url } = await start({ log });
    await event('session_start');
    client.send({ text: 'deaf' });
    client.send({ text: 'say never' });
    await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
    claude.endsBadly = true;
    client.socket.terminate();
    await expect.poll(() => claude.closedCount).toBe(1);
    await expect.poll(() => faults.length).toBeGreaterThan(0);
    expect(claude.sessions[0]?.prompts.map(({ text }) => text)).toEqual(['deaf']);
    claude.endsBadly = false;
    const next = await connect(url);
    next.send({ tool: 'claude' });
    await next.next(({ type }) => type === 'session_start');
  });

  test('stops and permissions that wait are bounded too', async () => {
    const { client, event, claude } = await start();
    await event('session_start');
    claude.interruptsWait = true;
    for (let count = 0; count < 100; count++) client.send({ type: 'interrupt' });
    expect(await event('error')).toMatchObject({ text: 'Too many requests wait', metadata: { code: 'busy' } });
    expect(claude.sessions[0]?.interrupts).toBe(64);
  });

  test.each([
    [{ type: 'control_request' }, /control_request is not supported/u],
    [{ text: '' }, /text is missing/u],
    [{ type: 'set_model', model: '-x' }, /name of a model/u],
    [{ type: 'permission_response' }, /request_id is missing/u],
    [{ type: 'permission_response', request_id: 0, allow: true }, /Nothing waits/u],
  ])('what cannot be done is said: %j', async (frame, words) => {
    const { client, event } = await start();
    await event('session_start');
    client.send(frame);
    expect(await event('error')).toMatchObject({ text: expect.stringMatching(words) });
  });
});

test.each([
  ['claude', '/compact', 'text'],
  ['claude', '/clear', 'clear'],
  ['codex', '/clear now', 'clear'],
  ['codex', '/compact', 'refused'],
  ['gemini', '/memory show', 'text'],
  ['gemini', '/compress', 'refused'],
  ['codex', '/etc/hosts says what?', 'text'],
  ['codex', 'no command', 'text'],
])('a slash command of %s: %s is %s', (provider, text, type) => {
  expect(slashCommand(provider, text).type).toBe(type);
});
