import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { poll } from './support/poll.ts';
import { ann, ben, forum, stranger, topic, World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world[Symbol.asyncDispose]());

const texts = (messages: readonly { readonly text?: string }[]) => messages.map(({ text }) => text);

describe('a bound chat', () => {
  test('brings a text to its agent, and the answer back as a reply to it', async () => {
    await world.channel();
    const worker = await world.agent('Worker');
    await world.bind(`${ann}`, 'Worker');
    const said = world.telegram.says({ chatId: ann, text: 'What is in the build?' });
    const [message] = await worker.receives();
    expect(message).toMatchObject({
      from: 'telegram',
      to: 'id:Worker',
      body: 'What is in the build?',
      sender: { relation: 'channel' },
      meta: { channel: { conversationId: '7', senderId: '7', senderName: 'Person 7 (@person_7)', externalId: `${said.message_id}` } },
    });
    const answer = await worker.handle.reply(message?.id ?? 0, 'A test. It is 🙂 `green`.');
    expect(await world.botSays(ann)).toMatchObject([
      {
        text: 'A test. It is 🙂 green.',
        entities: [{ type: 'code', offset: 17, length: 5 }],
        reply_to_message: { message_id: said.message_id },
      },
    ]);
    await poll('the receipt', async () => (await world.receiptOf(answer.id))?.state === 'delivered');
  });

  test('takes a reply to the bot into the thread it answers, to the agent that wrote it', async () => {
    await world.channel();
    const [worker, helper] = [await world.agent('Worker'), await world.agent('Helper')];
    await world.bind(`${ann}`, 'Worker');
    world.telegram.says({ chatId: ann, text: 'Ask Helper.' });
    const [question] = await worker.receives();
    const answer = await helper.handle.send({ to: 'telegram', replyTo: question?.id ?? 0, body: 'I know it.' });
    const [shown] = await world.botSays(ann);
    expect(shown?.text).toBe('Helper:\nI know it.');
    world.telegram.says({ chatId: ann, text: 'Then tell.', replyTo: shown?.message_id ?? 0 });
    expect(await helper.receives()).toMatchObject([{ body: 'Then tell.', replyTo: answer.id, threadId: question?.id }]);
    expect(worker.mail).toHaveLength(1);
  });

  test('takes an edit that changes nothing, as a reaction makes one, for no second order, also after a restart', async () => {
    const channel = await world.channel();
    const worker = await world.agent('Worker');
    await world.bind(`${ann}`, 'Worker');
    const order = world.telegram.says({ chatId: ann, text: 'Deploy build 512 to production.' });
    await worker.receives();
    world.telegram.edits(order, 'Deploy build 512 to production.');
    await channel.stop();
    await world.channel();
    world.telegram.edits(order, 'Deploy build 512 to production.');
    world.telegram.edits(order, 'Deploy build 513 to production.');
    expect(await worker.receives(2)).toMatchObject([{ body: order.text }, { body: '(edited)\nDeploy build 513 to production.' }]);
  });

  test('tells of an edit as a new text in the thread, and passes captions on but no other content', async () => {
    await world.channel();
    const worker = await world.agent('Worker');
    await world.bind(`${ann}`, 'Worker');
    const said = world.telegram.says({ chatId: ann, text: 'Deploy staging' });
    const [first] = await worker.receives();
    world.telegram.edits(said, 'Deploy nothing');
    world.telegram.says({ chatId: ann, content: { photo: [], caption: 'See here' } });
    world.telegram.says({ chatId: ann, content: { sticker: {} } });
    world.telegram.says({ chatId: ann, content: { sticker: {} } });
    expect(await worker.receives(3)).toMatchObject([
      { body: 'Deploy staging' },
      { body: '(edited)\nDeploy nothing', threadId: first?.threadId },
      { body: '(with a photo that is not passed on)\nSee here' },
    ]);
    await poll('everything to be handled', () => world.telegram.unconfirmed.length === 0);
    expect(texts(await world.botSays(ann))).toEqual(['Only text is passed on so far.']);
  });

  test('gets a long answer in parts that Telegram takes, each of which can be replied to', async () => {
    await world.channel();
    const worker = await world.agent('Worker');
    await world.bind(`${ann}`, 'Worker');
    const said = world.telegram.says({ chatId: ann, text: 'All of it, please' });
    const [message] = await worker.receives();
    const lines = Array.from({ length: 400 }, (_, index) => `line ${index} 🙂 of the log`);
    const answer = await worker.handle.reply(message?.id ?? 0, `Here:\n\`\`\`txt\n${lines.join('\n')}\n\`\`\``);
    const parts = await world.botSays(ann, 3);
    expect(parts.map(({ reply_to_message }) => reply_to_message?.message_id)).toEqual([said.message_id, undefined, undefined]);
    expect(parts.map(({ entities }) => entities?.length)).toEqual([1, 1, 1]);
    expect(parts.flatMap(({ text }) => text?.match(/line \d+ 🙂 of the log/gu) ?? [])).toEqual(lines);
    await poll('the receipt', async () => (await world.receiptOf(answer.id))?.state === 'delivered');
    world.telegram.says({ chatId: ann, text: 'Thanks', replyTo: parts[2]?.message_id ?? 0 });
    expect((await worker.receives(2))[1]).toMatchObject({ replyTo: answer.id });
  });
});

test('a topic is a conversation of its own: what comes from it goes back to it', async () => {
  await world.channel();
  const [worker, helper] = [await world.agent('Worker'), await world.agent('Helper')];
  await world.bind(`${forum}/${topic}`, 'Worker');
  await world.bind(`${forum}`, 'Helper');
  world.telegram.says({ chatId: forum, userId: ann, topicId: topic, text: 'in the topic' });
  world.telegram.says({ chatId: forum, userId: ben, text: 'in the group' });
  const [inTopic] = await worker.receives();
  const [inGroup] = await helper.receives();
  expect([inTopic?.body, inGroup?.body]).toEqual(['in the topic', 'in the group']);
  await worker.handle.reply(inTopic?.id ?? 0, 'to the topic');
  await helper.handle.reply(inGroup?.id ?? 0, 'to the group');
  const answers = new Map((await world.botSays(forum, 2)).map(({ text, message_thread_id }) => [text, message_thread_id]));
  expect(answers).toEqual(
    new Map([
      ['to the topic', topic],
      ['to the group', undefined],
    ]),
  );
});

describe('a chat that is not bound', () => {
  test('hears how to bind, binds, shows who is there, and unbinds', async () => {
    await world.channel();
    const worker = await world.agent('Worker', { tags: ['backend'] });
    const commands = [
      'Hello?',
      '/bind',
      '/bind Nobody',
      '/bind Worker',
      '/bind tag:backend',
      '/status',
      '/agents',
      'Hello!',
      '/unbind',
      '/status',
    ];
    for (const text of commands) world.telegram.says({ chatId: ann, text });
    expect(texts(await world.botSays(ann, 9))).toEqual([
      'Nobody is bound to this chat, so this was not passed on. /agents lists who is there, /bind Worker binds one of them.',
      'Bind whom? For example: /bind Worker\n/agents lists who is there.',
      expect.stringMatching(/^The relay said no: .*Nobody/u),
      'What is written here now goes to id:Worker.',
      expect.stringMatching(/id:Worker[\s\S]*\/unbind ends what is bound now\.$/u),
      'What is written here goes to:\nid:Worker – online',
      expect.stringContaining('Worker – online tag:backend'),
      'What is written here no longer goes to id:Worker.',
      'Nobody is bound to this chat. /bind Worker binds the agent Worker.',
    ]);
    expect(worker.mail.map(({ body }) => body)).toEqual(['Hello!']);
  });

  test('is told when a group has nobody in it', async () => {
    await world.channel();
    await world.bind(`${ann}`, 'tag:night-shift', 'fanout');
    world.telegram.says({ chatId: ann, text: 'Anybody?' });
    expect(texts(await world.botSays(ann))).toEqual(['Nobody belongs to tag:night-shift at the moment, so nobody got this.']);
  });
});

describe('a chat that is not allowed', () => {
  test('is refused once, with its id, and nothing of it reaches the relay', async () => {
    await world.channel();
    const worker = await world.agent('Worker');
    await world.bind('*', 'Worker');
    for (const text of ['/bind Worker', 'Let me in', 'Please']) world.telegram.says({ chatId: stranger, text });
    world.telegram.says({ chatId: ann, text: 'Hello' });
    expect((await worker.receives()).map(({ body }) => body)).toEqual(['Hello']);
    await poll('everything to be handled', () => world.telegram.unconfirmed.length === 0);
    expect(texts(await world.botSays(stranger))).toEqual([
      'Sorry, this bot does not serve this chat. Its id is 66; who runs the bot can allow it.',
    ]);
    expect((await world.client.channels.get({ id: 'telegram' })).bindings).toHaveLength(1);
  });

  test('gets nothing from an agent either, and the agent is told', async () => {
    await world.channel();
    const worker = await world.agent('Worker');
    const toStranger = await worker.handle.send({ to: 'telegram', body: 'psst', meta: { channel: { conversationId: `${stranger}` } } });
    const nowhere = await worker.handle.send({ to: 'telegram', body: 'hello?' });
    await poll('both to fail', async () => (await world.receiptOf(nowhere.id))?.state === 'failed');
    expect(await world.receiptOf(toStranger.id)).toMatchObject({ state: 'failed', reason: 'the chat 66 is not allowed here' });
    expect(world.telegram.botMessages(stranger)).toEqual([]);
  });
});
