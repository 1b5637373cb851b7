import { readFile } from 'node:fs/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { callTool, type Model, type ModelRequest, say, startFakeAnthropic, startFakeOpenAi, tempHome } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentEnvironment, type RunningProgram, startAgentRelay } from './support/programs.ts';
import { until } from './support/until.ts';

const called = ({ conversation }: ModelRequest, name: string) =>
  conversation.some((entry) => entry.kind === 'toolCall' && entry.name === name);

/** Asks and waits for the answer inside the tool; whatever comes afterwards is only noted. */
const asker: Model = (request) =>
  called(request, 'relay_send') ? say('Noted.') : callTool('relay_send', { to: 'Helper', body: 'Which port?', waitForAnswerMs: 40_000 });

const home = await tempHome();
const anthropic = await startFakeAnthropic({ model: asker });
const openAi = await startFakeOpenAi({ model: asker });
let relay: RunningProgram;

beforeAll(async () => {
  relay = await startAgentRelay({ home, env: await agentEnvironment(home, anthropic, openAi) });
});

afterAll(async () => {
  await relay.end();
  await home.remove();
  await anthropic.close();
  await openAi.close();
});

test.each(['claude', 'codex'])('the answer that %s waited for in its tool is seen there, and is no prompt afterwards', async (provider) => {
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  await using client = createNodeRelayClient({ url: relay.url, token });
  const name = `Asks-with-${provider}`;
  await client.agents.register({ id: 'Helper', name: 'Helper' });
  expect(await relay.run('spawn', provider, '--name', name, '--task', 'Ask Helper which port.')).toMatchObject({ code: 0 });
  const question = await until('the question', async () => (await client.messages.list({ from: name })).data[0]);
  const answer = await client.messages.send({ from: 'Helper', replyTo: question.id, body: 'Port 4850.' });
  const receiptOf = async (id: number) => (await client.messages.deliveries({ id })).data[0];
  const receipt = await until('its receipt', async () => {
    const found = await receiptOf(answer.id);
    return found?.state === 'seen' ? found : undefined;
  });
  expect(receipt).toMatchObject({ agentId: name, evidence: 'echo' });

  // What was sent after it has had its turn, and the answer had none.
  const later = await client.messages.send({ from: 'Helper', to: name, body: 'Something else.' });
  await until('the later message', async () => ((await receiptOf(later.id))?.state === 'seen' ? true : undefined));
  const { data } = await client.agents.activity({ id: name, newest: true });
  const prompted = data.flatMap(({ event }) => (event.type === 'user.message' ? (event.messageIds ?? []) : []));
  expect(prompted).toEqual([later.id]);
  expect(data.filter(({ event }) => event.type === 'tool.completed')).toHaveLength(1);
});
