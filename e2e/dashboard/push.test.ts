import { createRelayClient } from 'agent-relay-client';
import { type BrowserSubscription, FakePushService } from 'agent-relay-testing';
import type { CDPSession, Page, Worker } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

/** A browser offline cannot subscribe at its push service: another takes its place, and the rest is the page's own. Nobody looks at the page. */
const subscribingAt = ({ endpoint, keys }: BrowserSubscription): string => `
  const subscription = {
    endpoint: ${JSON.stringify(endpoint)},
    toJSON: () => (${JSON.stringify({ endpoint, keys })}),
    unsubscribe: async () => { localStorage.removeItem('subscribed'); return true; },
  };
  PushManager.prototype.subscribe = async (options) => { localStorage.setItem('subscribed', JSON.stringify(options)); return subscription; };
  PushManager.prototype.getSubscription = async () => localStorage.getItem('subscribed') === null ? null : subscription;
  document.hasFocus = () => false;`;

/** What the browser shows: title, words, and whether it is silent. */
const shownBy = (worker: Worker) =>
  worker.evaluate<readonly unknown[]>(
    `self.registration.getNotifications().then((shown) => shown.map(({ title, body, silent }) => [title, body, silent]))`,
  );

/** Hands a push to the real service worker, as the browser does with what it decrypted. */
async function deliverTo(page: Page, origin: string): Promise<(data: string) => Promise<void>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const found: string[] = [];
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    for (const { registrationId, scopeURL } of registrations) if (scopeURL.startsWith(origin)) found.push(registrationId);
  });
  await session.send('ServiceWorker.enable');
  const registrationId = await until('the registration', () => found.at(-1));
  return async (data) => {
    await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
  };
}

async function askBy({ owner, relay }: DashboardWorld, approvalId: string): Promise<void> {
  const { token = '' } = await owner.agents.register({ id: 'Worker', name: 'Worker', instanceId: 'i1', withToken: true });
  const worker = createRelayClient({ url: relay.url, token });
  await worker.approvals.ask({ id: 'Worker', approvalId, kind: 'execute', title: 'Bash: make deploy', waitMs: 0 });
  await worker.close();
}

test.skipIf(!hasBrowser)(
  'a device is told while its page is closed of what it was set to, is led to the question by a click, and is told no more once its person signs out',
  async () => {
    await using service = await FakePushService.start();
    await using world = await openDashboard({}, 'whole');
    const { owner, relay } = world;
    const page = await world.openPage('/');
    const context = page.context();
    await context.grantPermissions(['notifications']);
    await context.addInitScript(subscribingAt(service.subscribe()));
    await page.goto('/settings');
    await page.getByLabel('Notify this device, also while the page is closed').click();
    await page.getByLabel('that an agent has stalled').click();
    await until('what for', async () => (await owner.push.list()).data[0]?.topics.join() === 'approvals,mail');
    await page.getByText('(this device)').waitFor();
    await keepScreenshot(page, 'dashboard-notified-device');
    const { publicKey } = await owner.push.key();
    const asked = await page.evaluate<string>("localStorage.getItem('subscribed')");
    expect(JSON.parse(asked)).toEqual({ userVisibleOnly: true, applicationServerKey: publicKey });

    const deliver = await deliverTo(page, relay.browserUrl);
    const worker = await until('its worker', () => context.serviceWorkers()[0]);
    await page.goto('about:blank');
    await askBy(world, 'q1');
    const news = await until('the push', () => service.taken[0]?.text);
    await deliver(news);
    await until('the notice', async () => (await shownBy(worker)).length === 1);
    expect(await shownBy(worker)).toEqual([['Worker asks', 'It wants to run a command', false]]);

    await page.goto(`${relay.browserUrl}/messages`);
    await page.getByRole('status').getByText('live').waitFor();
    await worker.evaluate(`self.registration.getNotifications().then(([notification]) =>
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification })))`);
    await page.waitForURL('**/approvals');
    await page.getByText('make deploy').first().waitFor();
    await until('the notice goes', async () => (await shownBy(worker)).length === 0);

    await page.goto('about:blank');
    await deliver(news);
    await until('the notice', async () => (await shownBy(worker)).length === 1);
    await owner.approvals.resolve({ id: 'Worker', approvalId: 'q1', outcome: 'allow' });
    await deliver(await until('that it is over', () => service.taken[1]?.text));
    await until('what took its place', async () => JSON.stringify(await shownBy(worker)).includes('It is allowed, by owner'));
    expect(await shownBy(worker)).toEqual([['Worker asked', 'It is allowed, by owner', true]]);

    await page.goto(`${relay.browserUrl}/settings`);
    await page.getByText('(this device)').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('This browser is not signed in.').waitFor();
    expect((await owner.push.list()).data).toEqual([]);
    await expect
      .poll(() => page.evaluate("[localStorage.getItem('subscribed'), localStorage.getItem('agent-relay-push')]"))
      .toEqual([null, null]);
    expect(service.faults).toEqual([]);
  },
);

test.skipIf(!hasBrowser)('a device that cannot be told says why', async () => {
  await using world = await openDashboard({}, 'whole');
  const page = await world.openPage('/');
  const reasons: readonly (readonly [string, RegExp])[] = [
    ["Object.defineProperty(Notification, 'permission', { get: () => 'denied' })", /does not let the page show any/u],
    ['delete window.PushManager', /On an iPhone or iPad it does once the page is on the home screen/u],
    ["Object.defineProperty(window, 'isSecureContext', { get: () => false })", /only from an address with https/u],
  ];
  for (const [script, reason] of reasons) {
    await page.context().addInitScript(script);
    await page.goto('/settings');
    await page.getByText(reason).first().waitFor();
    expect(await page.getByLabel('Notify this device, also while the page is closed').isDisabled()).toBe(true);
  }
});
