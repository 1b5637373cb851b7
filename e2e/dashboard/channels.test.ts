import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { openDashboard } from './support.ts';

const ann = { id: 'u1', name: 'Ann' };

test.skipIf(!hasBrowser)('a binding that is added routes what people write, and one that is removed no longer does', async () => {
  await using world = await openDashboard();
  const { owner } = world;
  await using helper = await owner.register({ name: 'Helper' });
  const page = await world.openPage('/channels');
  await page.getByText('No channels yet.').waitFor();
  const channel = await owner.channel({ name: 'phone', transport: 'sms' });
  const write = (externalId: string) => channel.receive({ conversationId: '+41', body: 'Is it up?', sender: ann, externalId });
  await expect(write('sms-1')).rejects.toMatchObject({ code: 'unbound_conversation' });
  await page.locator('[data-channel-id="phone"]').getByText('bound to nobody').waitFor();
  await page.locator('[data-channel-id="phone"]').click();
  const detail = page.getByRole('complementary', { name: 'Channel phone' });
  await detail.getByText('what people write is refused until a conversation is bound').waitFor();
  await detail.getByRole('combobox', { name: 'Conversation' }).fill('+41');
  await detail.getByLabel('Goes to').fill('Nobody');
  await detail.getByRole('button', { name: 'Bind' }).click();
  await detail
    .getByRole('alert')
    .getByText(/\(\w+\)$/u)
    .waitFor();
  await detail.getByLabel('Goes to').fill('Helper');
  await detail.getByRole('button', { name: 'Bind' }).click();
  const bindings = detail.getByRole('list', { name: 'Bindings' }).getByRole('listitem');
  await bindings.getByRole('link', { name: 'Helper' }).waitFor();
  await keepScreenshot(page, 'dashboard-channel');
  expect((await write('sms-1')).messages).toMatchObject([{ to: 'id:Helper' }]);
  for await (const { body } of helper.inbox()) {
    expect(body).toBe('Is it up?');
    break;
  }

  await detail.getByRole('button', { name: 'Remove +41 to id:Helper' }).click();
  await detail.getByRole('button', { name: 'Remove it' }).click();
  await bindings.waitFor({ state: 'detached' });
  await expect(write('sms-2')).rejects.toMatchObject({ code: 'unbound_conversation' });
  await channel.close();
  await detail.getByText('offline').waitFor();
});

test.skipIf(!hasBrowser)('who may only read sees who is bound and can change nothing', async () => {
  await using world = await openDashboard();
  const { owner } = world;
  await owner.agents.register({ name: 'Helper' });
  await using channel = await owner.channel({ name: 'phone', transport: 'sms' });
  await channel.bind({ conversationId: '*', target: 'Helper' });
  const { token } = await owner.tokens.create({ name: 'board', kind: 'observer' });
  const board = await world.openStrangersPage();
  await board.goto('/channels/phone');
  await board.getByLabel('Token').fill(token);
  await board.getByRole('button', { name: 'Sign in' }).click();
  const detail = board.getByRole('complementary', { name: 'Channel phone' });
  await detail.getByText('every other conversation').waitFor();
  expect(await detail.getByRole('button').count()).toBe(0);
});
