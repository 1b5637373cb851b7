import { expect, test } from 'vitest';
import { callTool, failWith, type Model, runCommand, say, startFakeGoogle, think } from '../src/index.ts';

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const request = {
  contents: [
    { role: 'user', parts: [{ text: '<session_context>\nToday…' }, { text: 'Hello' }] },
    {
      role: 'model',
      parts: [{ text: 'hm', thought: true }, { functionCall: { id: 'c1', name: 'mcp_agent-relay_relay_send', args: { to: 'Bob' } } }],
    },
    { role: 'user', parts: [{ functionResponse: { id: 'c1', name: 'mcp_agent-relay_relay_send', response: { error: 'no Bob' } } }] },
  ],
  systemInstruction: { parts: [{ text: 'You are Gemini.' }] },
  tools: [{ functionDeclarations: [{ name: 'run_shell_command' }, { name: 'mcp_agent-relay_relay_send', parametersJsonSchema: {} }] }],
};
const model = 'v1beta/models/gemini-2.5-pro';

test('the Gemini API answers whole as well as streamed, and calls have no id', async () => {
  await using fake = await startFakeGoogle({ model: () => [think('so'), say('one two', { chunks: 2 }), runCommand('ls')] });
  const whole = await (await post(`${fake.url}/${model}:generateContent`, request)).json();
  const call = { functionCall: { name: 'run_shell_command', args: { command: 'ls', description: 'Run a command' } } };
  const parts = [{ text: 'so', thought: true }, { text: 'one ' }, { text: 'two' }, call];
  expect(whole).toMatchObject({ candidates: [{ content: { role: 'model', parts }, index: 0, finishReason: 'STOP' }] });
  const streamed = await (await post(`${fake.url}/${model}:streamGenerateContent?alt=sse`, request)).text();
  const events = streamed.split('\r\n\r\n').flatMap((event) => (event === '' ? [] : [JSON.parse(event.replace('data: ', ''))]));
  expect(events.flatMap(({ candidates }) => candidates[0].content.parts)).toEqual([...parts, { text: '' }]);
  expect(events.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }], usageMetadata: { promptTokenCount: expect.any(Number) } });
});

test.each([
  ['own', 2],
  ['same', 1],
] as const)('calls have ids where they are wanted: %s', async (callIds, different) => {
  await using fake = await startFakeGoogle({ model: () => [runCommand('ls'), runCommand('pwd')], callIds });
  const answer = await (await post(`${fake.url}/${model}:generateContent`, request)).text();
  const ids = [...answer.matchAll(/"functionCall":\{"id":"(\w[\w-]*)"/gu)].map(([, id]) => id);
  expect(ids).toEqual([expect.any(String), expect.any(String)]);
  expect(new Set(ids).size).toBe(different);
});

test('a request is read in the words of all vendors', async () => {
  const asked: Parameters<Model>[0][] = [];
  await using fake = await startFakeGoogle({
    model: (each) => {
      asked.push(each);
      return callTool('relay_send');
    },
  });
  await post(`${fake.url}/${model}:generateContent`, request);
  expect(asked).toMatchObject([
    {
      vendor: 'google',
      modelName: 'gemini-2.5-pro',
      system: 'You are Gemini.',
      conversation: [
        { kind: 'context' },
        { kind: 'userText', text: 'Hello' },
        { kind: 'toolCall', id: 'c1', name: 'relay_send', input: { to: 'Bob' } },
        { kind: 'toolResult', id: 'c1', name: 'relay_send', text: 'no Bob', isError: true },
      ],
      tools: [{ name: 'run_shell_command' }, { name: 'relay_send', fullName: 'mcp_agent-relay_relay_send' }],
    },
  ]);
});

test("failures have the vendor's form, a question of the CLI for itself asks no script, and the rest is not faked", async () => {
  await using fake = await startFakeGoogle({ model: () => failWith(429) });
  const failed = await post(`${fake.url}/${model}:streamGenerateContent`, request);
  expect([failed.status, await failed.json()]).toMatchObject([429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }]);
  const ownQuestion = { contents: request.contents, generationConfig: { responseMimeType: 'application/json' } };
  expect((await post(`${fake.url}/${model}:generateContent`, ownQuestion)).status).toBe(200);
  expect(await (await post(`${fake.url}/${model}:countTokens`, request)).json()).toEqual({ totalTokens: expect.any(Number) });
  expect((await post(`${fake.url}/v1beta/else`, {})).status).toBe(404);
});
