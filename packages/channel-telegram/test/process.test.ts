import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BotProcess } from './support/bot-process.ts';
import { FarNode } from './support/far-node.ts';
import { poll } from './support/poll.ts';
import { ann, World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world[Symbol.asyncDispose]());

function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): BotProcess {
  const bot = new BotProcess(
    {
      TELEGRAM_BOT_TOKEN: world.telegram.token,
      TELEGRAM_ALLOWED_CHATS: `${ann}`,
      TELEGRAM_API_ROOT: world.telegram.url,
      TELEGRAM_STATE_DIR: world.folder,
      AGENT_RELAY_URL: world.relay.url,
      AGENT_RELAY_TOKEN: world.channelToken,
      ...env,
    },
    args,
  );
  world.onClose(() => bot.end('SIGKILL'));
  return bot;
}

async function ready(): Promise<BotProcess> {
  const bot = start();
  await poll('the bot to poll', () => world.telegram.isPolled);
  return bot;
}

const statePath = () => join(world.folder, `${world.telegram.token.split(':')[0]}.json`);
const texts = () => world.telegram.botMessages(ann).map(({ text }) => text);

describe('a bot that is killed', () => {
  test('between two parts of an answer goes on with the next part when it is started again', async () => {
    const bot = await ready();
    const worker = await world.agent('Worker');
    await world.bind(`${ann}`, 'Worker');
    const paragraphs = ['a', 'b', 'c'].map((letter) => letter.repeat(3000));
    const { id } = await worker.handle.send({ to: 'telegram', body: paragraphs.join('\n\n') });
    await poll('the first part', () => texts().length === 1);
    await poll('the note of it', () => existsSync(statePath()) && readFileSync(statePath(), 'utf8').includes(`"${id}"`));
    expect(await bot.end('SIGKILL')).toBeNull();
    expect((await world.receiptOf(id))?.state).not.toBe('delivered');
    await ready();
    await poll('the receipt', async () => (await world.receiptOf(id))?.state === 'delivered');
    expect(texts()).toEqual(paragraphs);
    expect(statSync(statePath()).mode & 0o077).toBe(0);
  });

  test('before Telegram knows what it has passed on passes it on no second time', async () => {
    const bot = await ready();
    const worker = await world.agent('Worker');
    await world.bind(`${ann}`, 'Worker');
    for (let count = 0; count < 20; count += 1)
      world.telegram.failNext('getUpdates', { type: 'error', status: 500, description: 'Internal Server Error' });
    world.telegram.says({ chatId: ann, text: 'Once' });
    expect((await worker.receives()).map(({ body }) => body)).toEqual(['Once']);
    await bot.end('SIGKILL');
    expect(world.telegram.unconfirmed).toHaveLength(1);
    world.telegram.mend();
    world.telegram.says({ chatId: ann, text: 'Twice' });
    await ready();
    expect((await worker.receives(2)).map(({ body }) => body)).toEqual(['Once', 'Twice']);
    await poll('both to be confirmed', () => world.telegram.unconfirmed.length === 0);
    expect(worker.mail).toHaveLength(2);
  });

  test('and finds its state unreadable puts it aside and works', async () => {
    writeFileSync(statePath(), '{"sending":');
    await ready();
    expect(readFileSync(`${statePath()}.unreadable`, 'utf8')).toBe('{"sending":');
  });
});

test('SIGTERM finishes the answer in hand, confirms what was passed on, and ends with 0', async () => {
  const bot = await ready();
  const worker = await world.agent('Worker');
  await world.bind(`${ann}`, 'Worker');
  world.telegram.says({ chatId: ann, text: 'Tell me' });
  const [question] = await worker.receives();
  const { id } = await worker.handle.reply(question?.id ?? 0, `${'a'.repeat(3000)}\n\n${'b'.repeat(3000)}`);
  await poll('the first part', () => texts().length === 1);
  expect(await bot.end('SIGTERM')).toBe(0);
  expect(texts()).toHaveLength(2);
  expect((await world.receiptOf(id))?.state).toBe('delivered');
  expect(world.telegram.unconfirmed).toEqual([]);
  expect((await world.client.agents.get({ id: 'telegram' })).status).toBe('offline');
});

test('a bot with the token that its README asks for shows what an agent asks, and takes the answer', async () => {
  await ready();
  const node = await FarNode.attach(world.relay.url, world.relay.ownerToken);
  world.onClose(() => node.close());
  await world.client.sessions.start({ name: 'Worker', provider: 'scripted', approval: 'guarded' });
  world.telegram.says({ chatId: ann, text: '/bind Worker' });
  await world.botSays(ann);
  await node.ask('a1', { title: 'Bash: npm test', input: { command: 'npm test' } });
  const [, question] = await world.botSays(ann, 2);
  if (!question) throw new Error('nothing was asked');
  expect(await world.telegram.presses(question, 'Deny')).toEqual({ text: 'Denied.' });
  expect(node.answered).toEqual([{ approvalId: 'a1', outcome: 'deny' }]);
  expect((await world.client.approvals.list({})).data).toMatchObject([{ status: 'denied', by: 'person:7@telegram' }]);
});

test('a bot waits for a relay that is not there yet, and stops at once when asked to', async () => {
  const waiting = start(['--url', 'http://127.0.0.1:4']);
  await poll('a word about it', () => waiting.output.includes('the relay cannot be reached'));
  expect(await waiting.end('SIGTERM')).toBe(0);
});

test.skipIf(!process.allowedNodeEnvironmentFlags.has('--use-env-proxy'))('a bot says that a proxy can read its token', async () => {
  const proxy = 'http://127.0.0.1:1';
  const bot = start(['--url', 'http://relay.invalid'], { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, http_proxy: proxy });
  await poll('the warning', () => bot.output.includes('a proxy can read the token of this channel'));
  await bot.end('SIGKILL');
});

test('wrong settings end with 2 and one sentence for each, a refused bot token with 1; no output holds a token', async () => {
  const wrong = start(['--allow', 'everybody', '--url', 'nowhere']);
  expect(await wrong.exited).toBe(2);
  expect(wrong.output.trim().split('\n')).toEqual([
    'agent-relay-channel-telegram: these settings are not valid:',
    expect.stringMatching(/^ {2}TELEGRAM_ALLOWED_CHATS must be the numeric ids/u),
    expect.stringMatching(/^ {2}AGENT_RELAY_URL must be/u),
  ]);
  world.telegram.failNext('getMe', { type: 'error', status: 401, description: 'Unauthorized' });
  const refused = start();
  expect(await refused.exited).toBe(1);
  expect(refused.output).toContain('agent-relay-channel-telegram: Telegram does not accept the bot token');
  for (const { output } of [wrong, refused]) {
    expect(output).not.toContain(world.telegram.token);
    expect(output).not.toContain(world.channelToken);
  }
});

test('negative ids of groups may be given as a flag', async () => {
  const bot = start(['--allow=-1001234567890,7', '--approval-chats=-5']);
  expect(await bot.exited).toBe(2);
  expect(bot.output).toContain('-5 is not among TELEGRAM_ALLOWED_CHATS');
});
