import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FarNode } from './support/far-node.ts';
import { poll } from './support/poll.ts';
import { ann, ben, forum, stranger, World } from './support/world.ts';

let world: World;
let node: FarNode;
beforeEach(async () => {
  world = await World.open();
  node = await FarNode.attach(world.relay.url, world.relay.ownerToken);
  world.onClose(() => node.close());
  await world.client.sessions.start({ name: 'Worker', provider: 'scripted', approval: 'guarded' });
});
afterEach(() => world[Symbol.asyncDispose]());

const test1 = { title: 'Bash: npm test', input: { command: 'npm test' } };
const buttons = (
  message: { readonly reply_markup?: { readonly inline_keyboard: readonly (readonly { readonly text: string }[])[] } } | undefined,
) => message?.reply_markup?.inline_keyboard.flat().map(({ text }) => text);

async function asked(chatId: number, approvalId = 'a1', question: typeof test1 | { title: string; input: unknown } = test1) {
  await node.ask(approvalId, question);
  const [message] = await world.botSays(chatId);
  if (!message) throw new Error('nothing was asked');
  return message;
}

async function reads(chatId: number, end: string): Promise<void> {
  await poll(`the message to end with ${end}`, () => world.telegram.botMessages(chatId)[0]?.text?.endsWith(end) === true);
}

test('what an agent asks is shown in its chat, one press allows it, and the message says who pressed', async () => {
  await world.channel();
  await world.bind(`${ann}`, 'Worker');
  const question = await asked(ann);
  expect(question).toMatchObject({
    text: 'Worker asks: may I do this?\n\nBash: npm test\nin /work\n\nnpm test',
    entities: [{ type: 'pre', offset: 54, length: 8 }],
  });
  expect(buttons(question)).toEqual(['Allow', 'Deny']);
  expect(await world.telegram.presses(question, 'Allow')).toEqual({ text: 'Allowed.' });
  expect(node.answered).toEqual([{ approvalId: 'a1', outcome: 'allow' }]);
  await reads(ann, '✅ Allowed by Person 7 (@person_7).');
  expect(buttons(world.telegram.botMessages(ann)[0])).toBeUndefined();
  const { data } = await world.client.approvals.list({});
  expect(data).toMatchObject([{ approvalId: 'a1', status: 'allowed', by: 'token:telegram' }]);
});

test('a token that only acts as the channel shows nothing, and the log says what is missing', async () => {
  const scopes = ['events:read', 'channels:read', 'agents:read', 'agents:write', 'messages:read', 'messages:write'] as const;
  const { token } = await world.client.tokens.create({ name: 'narrow', kind: 'channel', agentId: 'telegram', scopes: [...scopes] });
  await world.channel({}, token);
  await world.bind(`${ann}`, 'Worker');
  await node.ask('a1', test1);
  await poll('the warning', () => world.logLines.some((line) => line.includes('approvals are not shown')));
  expect(world.logLines.join('\n')).toContain('approvals:read');
  expect(world.telegram.botMessages(ann)).toEqual([]);
});

test('a question that is decided elsewhere, or by nobody, is closed in every chat that shows it', async () => {
  await world.channel({ approvalChats: new Set([ben]) });
  await world.bind(`${ann}`, 'Worker');
  await asked(ann);
  await world.botSays(ben);
  await world.client.approvals.resolve({ id: 'Worker', approvalId: 'a1', outcome: 'deny', message: 'not today' });
  for (const chat of [ann, ben]) await reads(chat, '⛔ Denied by owner.');
  await node.ask('a2', test1);
  await world.botSays(ann, 2);
  await node.giveUp('a2');
  await poll('the end', () => world.telegram.botMessages(ann)[1]?.text?.endsWith('⌛ Denied: nobody answered in time.') === true);
});

describe('who may decide', () => {
  test('nobody in a group, unless named', async () => {
    const channel = await world.channel();
    await world.bind(`${forum}`, 'Worker');
    const question = await asked(forum);
    expect(await world.telegram.presses(question, 'Allow', ann)).toEqual({ text: 'You are not among those who may decide this.' });
    expect(node.answered).toEqual([]);
    await channel.stop();
    await world.channel({ approvers: new Set([ben]) });
    expect(await world.telegram.presses(question, 'Allow', ann)).toEqual({ text: 'You are not among those who may decide this.' });
    expect(await world.telegram.presses(question, 'Deny', ben)).toEqual({ text: 'Denied.' });
    await reads(forum, '⛔ Denied by Person 8 (@person_8).');
  });

  test('in a private chat its person, but not when others are named', async () => {
    await world.channel({ approvers: new Set([ben]) });
    await world.bind(`${ann}`, 'Worker');
    const question = await asked(ann);
    expect(await world.telegram.presses(question, 'Allow')).toEqual({ text: 'You are not among those who may decide this.' });
    expect((await world.client.approvals.list({}))?.data).toMatchObject([{ status: 'pending' }]);
  });

  test('nobody in a chat that is not allowed, whatever the button says', async () => {
    await world.channel();
    await world.bind(`${ann}`, 'Worker');
    const question = await asked(ann);
    const data = question.reply_markup?.inline_keyboard[0]?.[0]?.callback_data ?? '';
    const forged = world.telegram.says({
      chatId: stranger,
      content: { text: 'x', reply_markup: { inline_keyboard: [[{ text: 'Allow', callback_data: data }]] } },
    });
    expect(await world.telegram.presses(forged, 'Allow')).toEqual({ text: 'This button does nothing.' });
    expect(node.answered).toEqual([]);
  });
});

test('after a restart open questions are not asked twice, and those that ended meanwhile are closed', async () => {
  const channel = await world.channel();
  await world.bind(`${ann}`, 'Worker');
  await asked(ann);
  await node.ask('a2', test1);
  await world.botSays(ann, 2);
  await channel.stop();
  await world.client.approvals.resolve({ id: 'Worker', approvalId: 'a1', outcome: 'allow' });
  await node.ask('a3', { title: 'Bash: ls', input: { command: 'ls' } });
  await world.channel();
  await reads(ann, '✅ Allowed by owner.');
  const [, second, third] = await world.botSays(ann, 3);
  expect(third?.text).toContain('Bash: ls');
  if (!second) throw new Error('the second question is gone');
  expect(await world.telegram.presses(second, 'Allow')).toEqual({ text: 'Allowed.' });
  expect(world.telegram.botMessages(ann)).toHaveLength(3);
});

test('what cannot be shown whole cannot be allowed here', async () => {
  await world.channel();
  await world.bind(`${ann}`, 'Worker');
  const question = await asked(ann, 'a1', { title: 'Bash', input: { command: `echo ${'🙂'.repeat(3000)}; rm -rf ~` } });
  expect(buttons(question)).toEqual(['Deny']);
  expect(question.text).toContain('This is not all of it');
  await world.telegram.presses(question, 'Deny');
  await reads(ann, '⛔ Denied by Person 7 (@person_7).');
});

test('a press that comes too late is told so', async () => {
  await world.channel();
  await world.bind(`${ann}`, 'Worker');
  const question = await asked(ann);
  await world.telegram.presses(question, 'Allow');
  await reads(ann, 'Allowed by Person 7 (@person_7).');
  const again = { ...question, message_id: 999_999 };
  expect(await world.telegram.presses(again, 'Deny')).toEqual({ text: 'This is no longer open.' });
  expect(node.answered).toEqual([{ approvalId: 'a1', outcome: 'allow' }]);
});
