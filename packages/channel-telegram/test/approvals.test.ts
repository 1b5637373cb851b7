import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FarNode, type FarQuestion } from './support/far-node.ts';
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

async function asked(chatId: number, approvalId = 'a1', question: FarQuestion = test1) {
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
  expect(data).toMatchObject([{ approvalId: 'a1', status: 'allowed', by: 'person:7@telegram' }]);
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

test("an agent's own options are buttons, and what a person reads is what they chose", async () => {
  await world.channel();
  await world.bind(`${ann}`, 'Worker');
  const options = [
    { id: 'once', label: 'Yes', outcome: 'allow' as const },
    { id: 'always', label: `Always ${'x'.repeat(100)}`, outcome: 'allow_always' as const },
    { id: 'stop', label: 'No, and stop', outcome: 'cancel' as const },
  ];
  const question = await asked(ann, 'a1', { ...test1, options });
  expect(buttons(question)).toEqual(['Yes', expect.stringMatching(/^Always x{52}…$/u), 'No, and stop']);
  await world.telegram.presses(question, 'No, and stop');
  await reads(ann, '⛔ Denied by Person 7 (@person_7).');
  await node.ask('a2', { title: 'Bash', input: { command: 'x'.repeat(5000) }, options });
  const [, long] = await world.botSays(ann, 2);
  expect(buttons(long)).toEqual(['No, and stop']);
  expect(node.answered).toEqual([{ approvalId: 'a1', outcome: 'deny', optionId: 'stop' }]);
});

test('what is asked in words is answered by a press where one is enough, and by a reply, also after a restart', async () => {
  const channel = await world.channel();
  await world.bind(`${ann}`, 'Worker');
  const choices = ['Red', 'Blue'].map((value) => ({ value, label: value }));
  const options = [
    { id: 'allow', label: 'Answer', outcome: 'allow' as const },
    { id: 'deny', label: 'Do not answer', outcome: 'deny' as const },
  ];
  const colour = { id: 'q', text: 'Which colour?', choices, allowsText: true };
  const question = await asked(ann, 'a1', { title: 'Colour', input: {}, options, form: [colour] });
  expect(question.text).toBe(
    'Worker asks you:\n\nColour\nin /work\n\nWhich colour?\n  1. Red\n  2. Blue\n\nReply to this message to answer.',
  );
  expect(buttons(question)).toEqual(['Red', 'Blue', 'Do not answer']);
  expect(await world.telegram.presses(question, 'Blue')).toEqual({ text: 'Answered.' });
  const form = [colour, { id: 'n', text: 'How many?', choices: [], allowsText: true, format: 'integer' as const }];
  await node.ask('a2', { title: 'More', input: {}, options, form });
  const [, second] = await world.botSays(ann, 2);
  expect(buttons(second)).toEqual(['Do not answer']);
  await channel.stop();
  await world.channel();
  world.telegram.says({ chatId: ann, text: '1', replyTo: second?.message_id ?? 0 });
  expect((await world.botSays(ann, 3)).at(-1)?.text).toContain('answers.n: is missing');
  world.telegram.says({ chatId: ann, text: '1\n3', replyTo: second?.message_id ?? 0 });
  expect((await world.botSays(ann, 4)).at(-1)?.text).toBe('Answered.');
  expect(node.answered).toEqual([
    { approvalId: 'a1', outcome: 'allow', answers: { q: ['Blue'] } },
    { approvalId: 'a2', outcome: 'allow', answers: { q: ['Red'], n: ['3'] } },
  ]);
});

test('a reply of somebody who may not decide answers nothing, and is passed on to nobody', async () => {
  await world.channel({ approvers: new Set([ben]) });
  await world.bind(`${forum}`, 'Worker');
  const form = [{ id: 'q', text: 'Which?', choices: [], allowsText: true }];
  const question = await asked(forum, 'a1', { title: 'Colour', input: {}, form });
  world.telegram.says({ chatId: forum, userId: ann, text: 'Red', replyTo: question.message_id });
  expect((await world.botSays(forum, 2)).at(-1)?.text).toBe('You are not among those who may decide this.');
  expect(node.answered).toEqual([]);
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
