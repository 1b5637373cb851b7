import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

let world: DashboardWorld;
beforeAll(async () => {
  if (hasBrowser) world = await openDashboard({}, 'whole');
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

const kept = (page: Page) =>
  page.evaluate<readonly string[]>(`caches.open('agent-relay-shell').then((shell) => shell.keys())
    .then((keys) => keys.map(({ url }) => new URL(url).pathname))`);

test.skipIf(!hasBrowser)('the page can be installed, opens without the relay, and keeps nothing that the relay says', async () => {
  await world.owner.agents.register({ name: 'Secretive' });
  const page = await world.openPage('/messages');
  const manifest = await page.evaluate<{ readonly icons: readonly { readonly src: string }[] }>(
    `fetch(document.querySelector('link[rel=manifest]').href).then((answer) => answer.json())`,
  );
  for (const { src } of manifest.icons)
    expect(await page.evaluate<string>(`fetch('${src}').then(({ headers }) => headers.get('content-type'))`)).toBe('image/png');
  await until('the worker', () => page.evaluate<boolean>('navigator.serviceWorker.controller !== null'));
  await page.reload();
  await page.getByText('Secretive').first().waitFor();
  await until('its files', async () => (await kept(page)).some((path) => path.startsWith('/assets/approvals-page-')));
  expect((await kept(page)).filter((path) => path !== '/' && !path.startsWith('/assets/'))).toEqual([]);
  await page.context().setOffline(true);
  await page.goto('/approvals');
  await page.getByRole('heading', { name: 'Agent Relay' }).waitFor();
  await page.getByText('connection lost, trying again').waitFor();
  expect(await page.getByText('Secretive').count()).toBe(0);
  await page.context().setOffline(false);
  await page.getByRole('status').getByText('live').waitFor();
});

test.skipIf(!hasBrowser)('who wants to be told while they look elsewhere is told what is written to them, and led there', async () => {
  const { owner } = world;
  await owner.agents.register({ name: 'Writer' });
  const page = await world.openPage('/settings');
  await page.context().grantPermissions(['notifications']);
  await page.evaluate(`window.told = [];
    ServiceWorkerRegistration.prototype.showNotification = async (title, { body, data }) => { window.told.push([title, body, data.path]); };
    document.hasFocus = () => false;`);
  const told = () => page.evaluate<readonly (readonly string[])[]>('window.told');
  const write = async (body: string) => (await owner.messages.send({ from: 'Writer', to: 'owner', body })).id;
  await page.getByRole('region', { name: 'Health' }).getByText('database').waitFor();
  await page.locator('[data-integration="ops-monitor"]').waitFor();
  await keepScreenshot(page, 'dashboard-settings');
  await write('Before anybody asked');
  await page.getByLabel('Show a notification').check();
  const id = await write('Where is\nthe paint?');
  await until('the notice', async () => (await told()).length > 0);
  expect(await told()).toEqual([['Writer writes to you', 'Where is the paint?', `/messages/${id}`]]);
  // Whoever looks at the page needs no call.
  await page.evaluate('document.hasFocus = () => true');
  await write('Seen anyway');
  // What comes after it is there: so is it.
  await world.ops.integrations.report({ title: 'Paint the wall', target: 'Writer' });
  await page.getByRole('link', { name: 'Tasks 1 active' }).waitFor();
  await page.evaluate('document.hasFocus = () => false');
  const last = await write('And the brush?');
  await until('the next notice', async () => (await told()).length > 1);
  expect((await told()).at(-1)).toEqual(['Writer writes to you', 'And the brush?', `/messages/${last}`]);
  await page.getByLabel('Show a notification').uncheck();
  await page.reload();
  expect(await page.getByLabel('Show a notification').isChecked()).toBe(false);
});
