import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

let world: DashboardWorld;
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard();
  for (const name of ['Ann', 'Ben']) await world.owner.agents.register({ name, status: 'idle' });
});
afterAll(() => world?.[Symbol.asyncDispose]());

test.skipIf(!hasBrowser)('who has which files is told as it changes, with who wants the same, and taken away where one may', async () => {
  const { owner } = world;
  const page = await world.openPage('/fleet');
  await page.getByRole('link', { name: 'Reserved files' }).click();
  await page.getByText('Nobody has reserved files.').waitFor();
  const first = await owner.reservations.create({
    agentId: 'Ann',
    folder: '/srv/app',
    patterns: ['src/auth/', '*.sql'],
    note: 'The new login',
  });
  const row = page.locator(`[data-reservation="${first.id}"]`);
  await row.getByText('The new login').waitFor();
  expect(await row.innerText()).toMatch(/src\/auth\/[\s\S]*\/srv\/app[\s\S]*others are told/u);
  expect(await row.locator('[data-shared]').count()).toBe(0);
  const second = await owner.reservations.create({ agentId: 'Ben', folder: '/srv/app', patterns: ['**/*.ts'] });
  await row.locator('[data-shared]').getByText('**/*.ts').waitFor();
  await page.locator(`[data-reservation="${second.id}"] [data-shared]`).getByText('src/auth/').waitFor();
  await keepScreenshot(page, 'dashboard-reservations');

  await row.getByRole('link', { name: 'Ann' }).first().click();
  await page.getByRole('link', { name: 'Has reserved' }).click();
  await page.waitForURL('**/reservations?agent=Ann');
  await row.waitFor();
  expect(await page.locator('[data-reservation]').count()).toBe(1);
  await row.getByRole('button', { name: `Take away reservation ${first.id} of Ann` }).click();
  await row.getByRole('button', { name: 'Others may have the files of Ann' }).click();
  await page.getByText('Ann has reserved no files.').waitFor();
  expect((await owner.reservations.list()).data.map(({ id }) => id)).toEqual([second.id]);

  // Who may only read is offered nothing.
  const { token } = await owner.tokens.create({ name: 'board', scopes: ['agents:read', 'events:read'] });
  const board = await world.openStrangersPage();
  await board.goto('/reservations');
  await board.getByLabel('Token').fill(token);
  await board.getByRole('button', { name: 'Sign in' }).click();
  await board.locator(`[data-reservation="${second.id}"]`).waitFor();
  expect(await board.getByRole('button', { name: /^Take/u }).count()).toBe(0);
});
