import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type DashboardWorld, openDashboard, violationsOf } from './support.ts';

let world: DashboardWorld;
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard();
  const { owner, ops } = world;
  await owner.agents.register({ name: 'Lead', status: 'idle', machine: 'studio' });
  await owner.agents.register({ name: 'Tester', status: 'idle', machine: 'laptop' });
  await owner.agents.register({ name: 'Worker', status: 'busy', machine: 'studio' });
  await owner.agents.register({ name: 'Zoe', status: 'idle' });
  await ops.integrations.report({ title: 'Disk full on db-2', target: 'Lead' });
  await ops.integrations.report({ title: 'Slow pages', target: 'Lead' });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

const groups = (page: Page): Promise<readonly (string | null)[]> =>
  page.locator('[data-group]').evaluateAll((all) => all.map((one) => one.getAttribute('data-group')));

async function lookAt(page: Page, name: string, rules: 'all' | 'colours'): Promise<void> {
  for (const width of [390, 1400]) {
    await page.setViewportSize({ width, height: 844 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await keepScreenshot(page, `${name}-${width}-${colorScheme}`);
      expect(await violationsOf(page, rules)).toEqual([]);
    }
  }
}

test.skipIf(!hasBrowser)('agents are listed by their state or their machine, on every page that lists them', async () => {
  const page = await world.openPage('/messages');
  const grouping = page.getByRole('combobox', { name: 'Group agents' });
  await grouping.selectOption('By state');
  await page.locator('[data-group="busy"]').waitFor();
  expect((await groups(page))[0]).toBe('busy');
  await grouping.selectOption('By machine');
  await page.locator('[data-group="studio"]').getByText('2', { exact: true }).waitFor();
  expect(await groups(page)).toEqual(['laptop', 'studio', 'no machine']);
  const names = await page.getByRole('navigation', { name: 'Agents' }).getByRole('link').allInnerTexts();
  // Who is at work is first in each.
  expect(names.findIndex((name) => name.includes('Worker'))).toBeLessThan(names.findIndex((name) => name.includes('Lead')));
  // The arrow keys pass over the names of the groups.
  await page.getByRole('link', { name: /^Tester/u }).focus();
  await page.keyboard.press('ArrowDown');
  await until('the next agent', () => page.evaluate<boolean>("document.activeElement.textContent.startsWith('Worker')"));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/agents/Worker?by=machine');
  await page.locator('[data-group="no machine"]').waitFor();
  expect(await groups(page)).toEqual(['laptop', 'studio', 'no machine']);
  await page.getByRole('link', { name: 'Close' }).click();
  await page.waitForURL('**/messages?by=machine');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: 'Agents' }).click();
  await lookAt(page, 'dashboard-agents-by-machine', 'colours');
});

test.skipIf(!hasBrowser)('a narrowed page is saved under a name, found in the navigation and by its name, and removed', async () => {
  const page = await world.openPage('/tasks');
  const pages = page.getByRole('navigation', { name: 'Pages' });
  const view = pages.getByRole('link', { name: 'Disks & more' });
  const tasks = page.locator('[data-task-id]');
  await until('both tasks', async () => (await tasks.count()) === 2);
  expect(await pages.getByRole('button', { name: 'Save view' }).count()).toBe(0);
  await page.getByLabel('Find tasks').fill('disk full');
  await pages.getByRole('button', { name: 'Save view' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Disks & more');
  await keepScreenshot(page, 'dashboard-save-view');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await view.waitFor();
  expect(await pages.getByRole('button', { name: 'Save view' }).count()).toBe(0);
  await lookAt(page, 'dashboard-saved-view', 'all');

  await pages.getByRole('link', { name: 'Overview' }).click();
  await page.reload();
  await view.click();
  await until('the task that fits', async () => (await tasks.count()) === 1);
  expect(await page.getByLabel('Find tasks').inputValue()).toBe('disk full');
  await pages.getByRole('link', { name: 'Overview' }).click();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).fill('disks');
  await page.getByRole('option', { name: /^Disks & more/u }).click();
  await until('the task that fits', async () => (await tasks.count()) === 1);

  await pages.getByRole('button', { name: 'Remove the view Disks & more' }).click();
  await view.waitFor({ state: 'detached' });
  await page.reload();
  await pages.getByRole('button', { name: 'Save view' }).waitFor();
  expect(await view.count()).toBe(0);
});
