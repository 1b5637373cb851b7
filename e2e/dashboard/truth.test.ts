import type { Page, WebSocketRoute } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { openDashboard } from './support.ts';

const log = (page: Page) => page.getByRole('log', { name: 'Messages' });

/** A page whose socket a test can cut without a word, and mend; what its person has read nobody is told. */
async function cuttable(page: Page): Promise<{ isCut: boolean }> {
  const network = { isCut: false };
  await page.routeWebSocket(/\/ws$/u, (socket: WebSocketRoute) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => network.isCut || String(text).includes('"inbox/ack"') || server.send(text));
    server.onMessage((text) => network.isCut || socket.send(text));
  });
  return network;
}

test.skipIf(!hasBrowser)(
  'lists go back to their first entry, and what is found and counted is found and counted by the relay',
  async () => {
    await using world = await openDashboard();
    const { owner, ops } = world;
    await owner.agents.register({ name: 'Worker', tags: ['ops'] });
    await owner.agents.register({ name: 'Tester' });
    const needle = await ops.integrations.report({ title: 'The needle', target: 'tag:ops' });
    for (let done = 0; done < 1_100; done += 100) {
      const titles = Array.from({ length: 100 }, (_, index) => `Straw ${done + index}`);
      await Promise.all(titles.map((title) => ops.integrations.report({ title, target: 'tag:ops' })));
    }
    await owner.messages.send({ to: 'Worker', body: 'The very first' });
    for (let count = 1; count <= 450; count += 1) await owner.messages.send({ to: 'Tester', body: `Step ${count}` });
    const page = await world.openPage('/tasks');
    await page.getByTitle('1101 active').waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: /^1101$/u })
      .waitFor();
    await page.getByRole('searchbox', { name: 'Find tasks' }).fill('NEEDLE');
    await page.locator(`[data-task-id="${needle.task?.id}"]`).waitFor();
    await page.getByRole('status').filter({ hasText: /^1$/u }).waitFor();
    expect(await page.locator('[data-task-id]').count()).toBe(1);

    // An agent's page has its mail, however much was said to others since.
    await page.goto('/agents/Worker');
    await log(page).getByText('The very first').waitFor();
    await page.goto('/messages');
    await log(page).getByText('Step 450', { exact: true }).waitFor();
    await log(page).focus();
    const first = log(page).getByText('The needle');
    await until('the first message', async () => {
      await page.keyboard.press('Home');
      return (await first.count()) === 1;
    });
    expect(Number(await log(page).getByRole('listitem').first().getAttribute('aria-setsize'))).toBeGreaterThan(1_500);
  },
);

test.skipIf(!hasBrowser)(
  'a network that is cut without a word is told within two seconds, and nothing can be pressed until it is back',
  async () => {
    await using world = await openDashboard();
    await world.owner.agents.register({ name: 'Worker', status: 'idle' });
    await world.owner.messages.send({ from: 'Worker', to: 'owner', body: 'Are you there?' });
    const page = await world.openStrangersPage();
    const network = await cuttable(page);
    await page.clock.install();
    await page.goto(await world.relay.createLoginLink());
    await page.getByRole('status').getByText('live').waitFor();
    await page.goto('/messages');
    const send = page.getByRole('button', { name: 'Send' });
    const agent = page.getByRole('navigation', { name: 'Agents' }).getByRole('listitem');
    await agent.getByText('idle').waitFor();
    await until('that one can send', () => send.isEnabled());
    await page.locator('[data-receipt]').first().waitFor();
    // Two seconds of the page's own time: how long the machine takes over them is another matter.
    await page.clock.pauseAt((await page.evaluate<number>('Date.now()')) + 1_000);
    network.isCut = true;
    await page.clock.runFor(2_000);
    await page.getByRole('status').getByText('no answer from the relay').waitFor();
    expect(await send.isEnabled()).toBe(false);
    await agent.getByText('was idle').waitFor();
    await keepScreenshot(page, 'dashboard-cut');
    network.isCut = false;
    await page.clock.resume();
    await page.getByRole('status').getByText('live').waitFor();
    await until('that one can send', () => send.isEnabled());
    await agent.getByText('idle', { exact: true }).waitFor();
  },
);

test.skipIf(!hasBrowser)('while lists are on their way nothing says that there is nothing', async () => {
  await using world = await openDashboard();
  await world.ops.integrations.report({ title: 'Disk full', target: 'broadcast' });
  const page = await world.openStrangersPage();
  const isHeld = { now: false };
  const held: (() => void)[] = [];
  await page.routeWebSocket(/\/ws$/u, (socket) => {
    const server = socket.connectToServer();
    const slow = /"method":"(?:tasks|approvals|holds|agents|nodes|messages|pairs|callbacks)\//u;
    socket.onMessage((text) => {
      if (isHeld.now && slow.test(String(text))) held.push(() => server.send(text));
      else server.send(text);
    });
  });
  await page.goto(await world.relay.createLoginLink());
  await page.getByRole('status').getByText('live').waitFor();
  isHeld.now = true;
  for (const [path, empty] of [
    ['/tasks', 'No task is active.'],
    ['/', 'Nothing waits for you.'],
    ['/messages', 'No messages yet'],
    ['/fleet', 'No machine yet.'],
  ] as const) {
    await page.goto(path);
    await page.getByRole('status').getByText('live').waitFor();
    await until('that it was asked', async () => held.length > 0);
    expect([path, await page.getByText(empty).count(), await page.getByText(/^0\b/u).count()]).toEqual([path, 0, 0]);
  }
  isHeld.now = false;
  for (const go of held.splice(0)) go();
  await page.goto('/tasks');
  await page.getByText('Disk full').waitFor();
});

test.skipIf(!hasBrowser)('a task that is opened has the focus, long words stay in it, and Escape leads back', async () => {
  await using world = await openDashboard();
  const word = 'W'.repeat(240);
  const { task } = await world.ops.integrations.report({ title: word, body: word, target: 'broadcast', metadata: { word } });
  const page = await world.openPage('/tasks');
  const row = page.locator(`[data-task-id="${task?.id}"]`);
  await row.waitFor();
  await row.focus();
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: `Task ${task?.id}` });
  await detail.locator('[data-callback-status]').first().waitFor();
  expect(await page.evaluate('document.activeElement?.tagName')).toBe('H2');
  const edge = await detail.evaluate((pane) => {
    const right = pane.getBoundingClientRect().right;
    return [...pane.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > right + 1).length;
  });
  expect(edge).toBe(0);
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
  expect(await page.evaluate(`document.activeElement.getAttribute('data-task-id')`)).toBe(String(task?.id));
});

test.skipIf(!hasBrowser)('Tab stops once at a list, however long, and whoever may start no agent is told why', async () => {
  await using world = await openDashboard();
  const page = await world.openStrangersPage();
  await page.goto(await world.relay.createLoginLink());
  await page.getByRole('status').getByText('live').waitFor();
  const tabsWith = async (from: number, to: number) => {
    for (let count = from; count < to; count += 1) await world.owner.agents.register({ name: `Agent-${count}`, status: 'idle' });
    await page.goto('/messages');
    await page.getByText('Agent-10').waitFor();
    const composer = page.getByLabel('To', { exact: true });
    let presses = 0;
    while (!(await composer.evaluate((field) => field.matches(':focus'))) && presses < 60) {
      await page.keyboard.press('Tab');
      presses += 1;
    }
    return presses;
  };
  const few = await tabsWith(10, 40);
  expect([few, await tabsWith(40, 70)]).toEqual([few, few]);
  // Of which the first leads past the pages at once.
  expect(few).toBeLessThan(32);
  await page.getByRole('link', { name: /Agent-10/u }).focus();
  await page.keyboard.press('End');
  await until('the last agent', () => page.evaluate<boolean>(`/^(?:owner|Agent-69)/u.test(document.activeElement.textContent)`));
  await page.getByRole('button', { name: 'New agent' }).click();
  await page.getByRole('dialog').getByText('No machine is connected').waitFor();
  await page.getByRole('dialog').getByText('npx agent-relay-connect pair').waitFor();
  await keepScreenshot(page, 'dashboard-no-machine');
});
