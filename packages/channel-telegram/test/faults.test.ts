import { afterEach, beforeEach, expect, test } from 'vitest';
import { poll } from './support/poll.ts';
import { ann, ben, World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world[Symbol.asyncDispose]());

const toAnn = { channel: { conversationId: `${ann}` } };
const toBen = { channel: { conversationId: `${ben}` } };
const texts = (chatId: number) => world.telegram.botMessages(chatId).map(({ text }) => text);

test('a chat under a rate limit gets everything once and in order, and holds up no other chat', async () => {
  await world.channel();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  world.telegram.failNext('sendMessage', { type: 'error', status: 429, description: 'Too Many Requests', retryAfter: 4 });
  await worker.handle.send({ to: 'telegram', body: 'one', meta: toAnn });
  await worker.handle.send({ to: 'telegram', body: 'two', meta: toAnn });
  await worker.handle.send({ to: 'telegram', body: 'for Ben', meta: toBen });
  await poll("Ben's message", () => texts(ben).length === 1);
  expect(texts(ann)).toEqual([]);
  await poll("Ann's messages", () => texts(ann).length === 2);
  expect(texts(ann)).toEqual(['one', 'two']);
});

test('a person who blocked the bot gets nothing, and the agent is told why', async () => {
  await world.channel();
  const worker = await world.agent('Worker');
  world.telegram.block(ann);
  const { id } = await worker.handle.send({ to: 'telegram', body: 'Hello?', meta: toAnn });
  await poll('the failure', async () => (await world.receiptOf(id))?.state === 'failed');
  expect(await world.receiptOf(id)).toMatchObject({ reason: 'Telegram: bot was blocked by the user' });
  expect((await worker.receives())[0]?.body).toContain('bot was blocked by the user');
});

test('formatting that Telegram refuses is left out', async () => {
  await world.channel();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  world.telegram.failNext('sendMessage', { type: 'error', status: 400, description: "Bad Request: can't parse entities" });
  await worker.handle.send({ to: 'telegram', body: 'it is **bold**', meta: toAnn });
  await poll('the message', () => texts(ann).length === 1);
  expect(world.telegram.botMessages(ann)).toMatchObject([{ text: 'it is **bold**' }]);
});

test('what people write while the relay is away arrives when it is back, once and in order', async () => {
  await world.channel();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  await world.withoutRelay(async () => {
    for (const text of ['one', 'two', 'three']) world.telegram.says({ chatId: ann, text });
    await poll('the channel to have them in hand', () => !world.telegram.isPolled);
    expect(world.telegram.unconfirmed).toHaveLength(3);
  });
  expect((await worker.receives(3)).map(({ body }) => body)).toEqual(['one', 'two', 'three']);
  await poll('all to be confirmed', () => world.telegram.unconfirmed.length === 0);
});

test('what agents write while Telegram is away arrives when it is back', async () => {
  const channel = await world.channel();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  for (let count = 0; count < 3; count += 1) world.telegram.failNext('sendMessage', { type: 'cut' });
  await worker.handle.send({ to: 'telegram', body: 'still here', meta: toAnn });
  await poll('the message', () => texts(ann).length === 1);
  await channel.stop();
  expect(texts(ann)).toEqual(['still here']);
});

test('a second process of the same name takes the channel over, and the first one ends', async () => {
  const first = await world.channel();
  const second = await world.channel();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  world.telegram.says({ chatId: ann, text: 'Who is it?' });
  expect((await worker.receives()).map(({ body }) => body)).toEqual(['Who is it?']);
  await first.stop();
  await second.stop();
});

test('a token that Telegram stops accepting ends the channel, and its mail waits', async () => {
  const channel = await world.channel();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  world.telegram.failNext('sendMessage', { type: 'error', status: 401, description: 'Unauthorized' });
  const { id } = await worker.handle.send({ to: 'telegram', body: 'Hello', meta: toAnn });
  expect(await channel.ended).toEqual({ type: 'refused', reason: 'Telegram does not accept the bot token' });
  expect(['queued', 'dispatched']).toContain((await world.receiptOf(id))?.state);
  await world.channel();
  await poll('the message', () => texts(ann).length === 1);
});

test('the token is in no line of the log', async () => {
  const channel = await world.channel();
  world.telegram.failNext('getUpdates', { type: 'cut' });
  world.telegram.says({ chatId: ann, text: 'x' });
  await poll('the warning', () => world.logLines.some((line) => line.includes('cannot be reached')));
  await channel.stop();
  expect(world.logLines.join('')).not.toContain(world.telegram.token);
});
