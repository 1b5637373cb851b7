import { RelayError } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

/** Ada and Bob answer each other until the guard keeps what Ada says. */
async function holdOne({ owner }: DashboardWorld, words: string): Promise<number> {
  const { id } = await owner.messages.send({ from: 'Ada', to: 'Bob', body: 'Ready?' });
  const { id: replyTo } = await owner.messages.send({ from: 'Bob', replyTo: id, body: 'Are you?' });
  const held = await owner.messages.send({ from: 'Ada', replyTo, body: words }).catch((error: unknown) => error);
  if (!(held instanceof RelayError) || held.code !== 'message_held') throw new Error(`not held: ${String(held)}`);
  return Number(held.details?.['holdId']);
}

test.skipIf(!hasBrowser)('a held message is counted, read and released by a click, and reaches who it is for', async () => {
  await using world = await openDashboard({ AGENT_RELAY_HOP_LIMIT: '1' });
  const { owner } = world;
  await owner.agents.register({ name: 'Ada' });
  await using bob = await owner.register({ name: 'Bob' });
  const page = await world.openPage('/holds');
  await page.getByText('Nothing is held.').waitFor();
  const [first, second] = [await holdOne(world, 'Ship it on Friday'), await holdOne(world, 'Ship it on Saturday')];
  await page.getByRole('link', { name: /^Held 2 waiting/u }).waitFor();
  const row = page.locator(`[data-hold-id="${first}"]`);
  await row.getByText('too many answers').waitFor();
  await row.getByText('Ship it on Friday').waitFor();
  await row.getByText(/without a person/u).waitFor();
  await keepScreenshot(page, 'dashboard-holds');

  await row.getByRole('button', { name: `Release ${first}` }).click();
  await page.getByRole('status').getByText('Sent as').waitFor();
  for await (const { body } of bob.inbox()) if (body === 'Ship it on Friday') break;
  await page.locator(`[data-hold-id="${first}"][data-hold-status="released"]`).getByText('by owner').waitFor();
  await page.getByRole('link', { name: /^Held 1 waiting/u }).waitFor();

  await page.getByRole('button', { name: `Refuse ${second}` }).click();
  await page.keyboard.type('Nobody ships on Saturdays');
  await page.keyboard.press('Enter');
  await page.locator(`[data-hold-id="${second}"][data-hold-status="refused"]`).getByText('Nobody ships on Saturdays').waitFor();
  expect(await owner.holds.get({ id: second })).toMatchObject({ status: 'refused', because: 'Nobody ships on Saturdays' });
  await row.getByRole('link', { name: /^thread/u }).click();
  await page.getByRole('log').getByText('Ship it on Friday').waitFor();
});

test.skipIf(!hasBrowser)('who decides a held message second is told what was decided; who may only read is offered nothing', async () => {
  await using world = await openDashboard({ AGENT_RELAY_HOP_LIMIT: '1' });
  const { owner } = world;
  for (const name of ['Ada', 'Bob']) await owner.agents.register({ name });
  const id = await holdOne(world, 'Delete the old bucket');
  const late = await world.openPageBehind('message.refused', '/holds');
  const { token: phone } = await owner.tokens.create({
    name: 'phone',
    scopes: ['workspace:read', 'messages:read', 'messages:write', 'holds:write', 'events:read'],
  });
  const { token: board } = await owner.tokens.create({ name: 'board', kind: 'observer' });
  const signInWith = async (token: string) => {
    const page = await world.openStrangersPage();
    await page.goto('/holds');
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    return page;
  };
  const observer = await signInWith(board);
  await observer.getByText('Delete the old bucket').waitFor();
  expect(await observer.getByRole('article').getByRole('button').count()).toBe(0);
  await late.getByRole('button', { name: `Release ${id}` }).waitFor();
  const page = await signInWith(phone);
  await page.getByRole('button', { name: `Refuse ${id}` }).click();
  await page.getByRole('button', { name: 'Refuse', exact: true }).click();
  await observer.locator('[data-hold-status="refused"]').getByText('by token:phone').waitFor();
  await late.getByRole('button', { name: `Release ${id}` }).click();
  await late.getByText(`Held message ${id} was refused by token:phone before you answered`).waitFor();
  expect(await late.getByRole('alert').count()).toBe(0);
});
