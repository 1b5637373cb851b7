import { expect, test } from 'vitest';
import {
  callTool,
  drop,
  failWith,
  hang,
  holdUntil,
  type Model,
  runCommand,
  say,
  startFakeAnthropic,
  startFakeOpenAi,
} from '../src/index.ts';

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const message = { model: 'claude-fake', messages: [{ role: 'user', content: 'Hello' }], tools: [{ name: 'Bash', input_schema: {} }] };
const response = { model: 'gpt-5.5', input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }] };

test('the Messages API answers whole as well as streamed', async () => {
  await using fake = await startFakeAnthropic({ model: () => [say('Hi.'), runCommand('ls')] });
  const whole = await (await post(`${fake.url}/v1/messages`, message)).json();
  expect(whole).toMatchObject({
    role: 'assistant',
    stop_reason: 'tool_use',
    content: [
      { type: 'text', text: 'Hi.' },
      { type: 'tool_use', name: 'Bash', input: { command: 'ls' } },
    ],
  });
  const streamed = await (await post(`${fake.url}/v1/messages`, { ...message, stream: true })).text();
  expect(streamed.match(/^event: .+$/gmu)).toEqual(
    [
      'message_start',
      ...Array(2).fill(['content_block_start', 'content_block_delta', 'content_block_stop']).flat(),
      'message_delta',
      'message_stop',
    ].map((name) => `event: ${name}`),
  );
});

test('the small routes of both APIs are there', async () => {
  await using anthropic = await startFakeAnthropic({ model: () => say('Hi.') });
  await using openai = await startFakeOpenAi({ model: () => say('Hi.') });
  expect((await fetch(anthropic.url, { method: 'HEAD' })).status).toBe(200);
  expect(await (await post(`${anthropic.url}/v1/messages/count_tokens`, message)).json()).toMatchObject({
    input_tokens: expect.any(Number),
  });
  expect(await (await fetch(`${anthropic.url}/v1/models`)).json()).toMatchObject({ data: [{ type: 'model' }] });
  expect(await (await fetch(`${openai.url}/v1/models`)).json()).toMatchObject({ data: [{ id: 'gpt-5.5' }] });
  expect((await fetch(`${openai.url}/v1/else`)).status).toBe(404);
});

test('a WebSocket is refused with a status that Codex falls back from', async () => {
  await using fake = await startFakeOpenAi({ model: () => say('Hi.') });
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    request(`${fake.url}/v1/responses`, { headers: { connection: 'upgrade', upgrade: 'websocket' } }, ({ statusCode }) =>
      resolve(statusCode),
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(426);
});

test('failures come before or inside the stream', async () => {
  const answers = [failWith(529), failWith(503, 'server_is_overloaded'), [say('Hal'), failWith(500, 'api_error')], [say('Hal'), drop()]];
  const model: Model = () => answers.shift() ?? say('Hi.');
  await using anthropic = await startFakeAnthropic({ model });
  await using openai = await startFakeOpenAi({ model });

  const overloaded = await post(`${anthropic.url}/v1/messages`, { ...message, stream: true });
  expect([overloaded.status, await overloaded.json()]).toMatchObject([529, { type: 'error', error: { type: 'overloaded_error' } }]);
  const unavailable = await post(`${openai.url}/v1/responses`, response);
  expect([unavailable.status, await unavailable.json()]).toMatchObject([503, { error: { code: 'server_is_overloaded' } }]);
  const late = await post(`${openai.url}/v1/responses`, response);
  expect(late.status).toBe(200);
  expect(await late.text()).toMatch(/event: response.failed\n.*"code":"api_error"/u);
  const cut = await post(`${anthropic.url}/v1/messages`, { ...message, stream: true });
  await expect(cut.text()).rejects.toThrow();
});

test('an answer stops until something has happened, and goes on', async () => {
  let happen = () => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  await using fake = await startFakeAnthropic({ model: () => [say('Before.'), holdUntil(happened), say('After.')] });
  const { body } = await post(`${fake.url}/v1/messages`, { ...message, stream: true });
  let said = '';
  const read = async () => {
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) said += piece;
  };
  const reading = read();
  await expect.poll(() => said).toContain('Before.');
  // What had been said by then would have come by now.
  await fetch(fake.url, { method: 'HEAD' });
  expect(said).not.toContain('After.');
  happen();
  await reading;
  expect(said).toContain('After.');
});

test('closing ends a model that hangs', async () => {
  const fake = await startFakeAnthropic({ model: () => hang() });
  const asked = post(`${fake.url}/v1/messages`, message);
  const outcome = expect(asked).rejects.toThrow();
  await expect.poll(() => fake.requests.length).toBe(1);
  await fake.close();
  await outcome;
});

test('a tool that is not offered, an ambiguous one, a failing script and a strange request are violations', async () => {
  const namespace = (name: string) => ({ type: 'namespace', name, tools: [{ type: 'function', name: 'relay_send', parameters: {} }] });
  const answers: Model[] = [
    () => callTool('relay_fly'),
    () => callTool('relay_send'),
    () => {
      throw new Error('out of ideas');
    },
  ];
  const fake = await startFakeOpenAi({ model: (request) => answers.shift()?.(request) ?? say('Hi.') });
  const asked = { ...response, tools: [namespace('mcp__one'), namespace('mcp__two')] };
  for (let count = 0; count < 3; count += 1) expect((await post(`${fake.url}/v1/responses`, asked)).status).toBe(400);
  await expect(post(`${fake.url}/v1/responses`, { input: 7 })).rejects.toThrow();
  expect(fake.violations).toEqual([
    'The fake model called relay_fly, which this request does not offer. It offers: mcp__one__relay_send, mcp__two__relay_send.',
    expect.stringContaining('could be any of mcp__one__relay_send, mcp__two__relay_send'),
    'The model script failed: out of ideas',
    expect.stringContaining('POST /v1/responses: '),
  ]);
  await expect(fake.close()).rejects.toThrow('broke its rules');
});
