import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startAskingNode } from './asking-node.ts';
import { openDashboard } from './support.ts';

test.skipIf(!hasBrowser)(
  'a link from an agent’s page opens its log for somebody who is not signed in, live, until it is revoked',
  async () => {
    await using world = await openDashboard();
    const { owner, relay } = world;
    await using node = await startAskingNode(relay, {});
    await owner.sessions.start({ provider: 'asker', name: 'Worker' });
    node.tell({ type: 'user.message', text: 'Greet the reader', messageIds: [7] });
    const page = await world.openPage('/agents/Worker');
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByLabel('The link is good for').selectOption('a day');
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = new URL(await page.locator('[data-token-secret]').innerText());
    expect(link.pathname).toBe('/shared');
    // Not the name that only this page's browser knows, and it is said how far it leads.
    expect(link.origin).toBe(relay.url);
    await page.getByText('on the relay’s machine only').waitFor();
    await page.locator('[data-share]').getByText('ends in').waitFor();

    const stranger = await world.openStrangersPage();
    const asked: string[] = [];
    stranger.on('request', (request) => asked.push(`${request.url()} ${JSON.stringify(request.headers())}`));
    await stranger.goto(link.pathname + link.hash);
    const log = stranger.getByRole('log', { name: 'Activity' });
    await log.getByText('Greet the reader').waitFor();
    await stranger.getByText('this link ends').waitFor();
    await stranger.getByText('Agent Relay · a shared log').waitFor();
    await log.getByText('message 7').waitFor();
    node.tell({ type: 'text.completed', turnId: 't', itemId: 'i', text: 'Said while it is read' });
    await log.getByText('Said while it is read').waitFor();
    // Nothing leads anywhere else, and the code went out in no address and no header.
    expect(await stranger.getByRole('link').count()).toBe(0);
    expect(await stranger.getByRole('navigation').count()).toBe(0);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((each) => each.includes(link.hash.slice(1)))).toEqual([]);
    expect(await stranger.context().cookies()).toEqual([]);
    await keepScreenshot(stranger, 'dashboard-shared-log');

    await page.getByRole('button', { name: 'Revoke this link' }).click();
    await page.getByRole('button', { name: 'Ends at once: revoke' }).click();
    await until('that it is gone', async () => (await owner.shares.list({})).data.length === 0);
    await page.locator('[data-share]').waitFor({ state: 'detached' });
    await stranger.reload();
    await stranger.getByRole('alert').getByText('does not open anything any more').waitFor();
    await stranger.goto('/shared');
    await stranger.getByRole('alert').getByText('has no code').waitFor();
  },
);
