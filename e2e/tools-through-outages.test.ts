import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { callTool, freePort, type Model, say, startFakeAnthropic, startFakeOpenAi, tempHome } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentEnvironment, type RunningProgram, startAgentRelay } from './support/programs.ts';
import { until } from './support/until.ts';

const AWAY_MS = 2_000;

/** The relay dies before the model has chosen its tool, and is back while the tool is asking for it. */
const answersWhileItIsAway: Model = async ({ lastUserText, conversation }) => {
  const id = /\[msg:(\d+)\] from Helper/u.exec(lastUserText)?.[1];
  const isAnswered = conversation.some((entry) => entry.kind === 'toolCall' && JSON.stringify(entry.input).includes(`"messageId":${id}`));
  if (id === undefined || isAnswered) return say('Done.');
  await relay.end('SIGKILL');
  returned = pause(AWAY_MS).then(async () => {
    relay = await startAgentRelay({ home, env, port });
  });
  return callTool('relay_reply', { messageId: Number(id), body: `Answered ${id}.` });
};

const home = await tempHome();
const anthropic = await startFakeAnthropic({ model: answersWhileItIsAway });
const openAi = await startFakeOpenAi({ model: answersWhileItIsAway });
let relay: RunningProgram;
let returned = Promise.resolve();
let env: Record<string, string>;
let port: number;

beforeAll(async () => {
  env = await agentEnvironment(home, anthropic, openAi);
  port = await freePort();
  relay = await startAgentRelay({ home, env, port });
});

afterAll(async () => {
  await relay.end();
  await home.remove();
  await anthropic.close();
  await openAi.close();
});

test.each(['claude', 'codex'])(
  'what %s answers with its tool while the relay is away arrives once, and its turn ends well',
  async (provider) => {
    const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
    await using client = createNodeRelayClient({ url: relay.url, token });
    await client.agents.register({ id: 'Helper', name: 'Helper' });
    expect(await relay.run('spawn', provider, '--name', provider)).toMatchObject({ code: 0 });
    const question = await client.messages.send({ from: 'Helper', to: provider, body: 'Who are you?' });
    const receipt = async () => (await client.messages.deliveries({ id: question.id }).catch(() => ({ data: [] }))).data[0]?.state;
    await until('the answer', async () => ((await receipt()) === 'answered' ? true : undefined), 90_000);
    await returned;
    const events = async () => (await client.agents.activity({ id: provider, newest: true })).data.map(({ event }) => event);
    await until('the end of the turn', async () => (await events()).find(({ type }) => type === 'turn.completed'));
    const told = await events();
    expect(told.filter(({ type }) => type === 'tool.completed')).toMatchObject([{ outcome: 'succeeded' }]);
    expect(told.findLast(({ type }) => type === 'turn.completed')).toMatchObject({ outcome: 'finished' });
    const { data } = await client.messages.list({ from: provider });
    expect(data.map(({ body, replyTo }) => ({ body, replyTo }))).toEqual([{ body: `Answered ${question.id}.`, replyTo: question.id }]);
  },
);
