import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startAskingNode } from './asking-node.ts';
import { cutChoices, openDashboard } from './support.ts';

const phone = { width: 390, height: 844 };

/** Every answer of a field with choices can be read to its end. */
const expectWhole = async (page: Page) => expect(await cutChoices(page)).toEqual([]);

const restPx = (page: Page) =>
  page.getByRole('log', { name: 'Messages' }).evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);

test.skipIf(!hasBrowser)(
  'on a phone the fields of every form stay in their columns, and the time of an act in its first line',
  async () => {
    await using world = await openDashboard();
    await using _node = await startAskingNode(world.relay, {});
    await world.owner.agents.register({ name: 'phone', kind: 'channel', transport: 'sms' });
    const page = await world.openPage('/tokens');
    await page.setViewportSize(phone);
    const boxOf = async (label: string) => {
      // The words of a field with choices go on with the choices.
      const box = await page.getByLabel(new RegExp(`^${label}`, 'u')).boundingBox();
      return box ?? { x: Number.NaN, width: Number.NaN };
    };
    const expectBeside = async (left: string, right: string) => {
      const [one, other] = [await boxOf(left), await boxOf(right)];
      expect(one.x + one.width).toBeLessThanOrEqual(other.x);
      expect(other.x + other.width).toBeLessThanOrEqual(phone.width);
    };
    await page.getByRole('button', { name: 'New token' }).click();
    await expectBeside('Name', 'For');
    await keepScreenshot(page, 'phone-new-token');
    await expectWhole(page);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Messages' }).click();
    await page.getByRole('button', { name: 'Agents' }).click();
    await page.getByRole('button', { name: 'New agent' }).click();
    await expectBeside('Name', 'Machine');
    await expectBeside('Kind', 'Model');
    await expectBeside('May', 'When a message comes');
    await expectWhole(page);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Channels' }).click();
    await page.locator('[data-channel-id="phone"]').click();
    await expectWhole(page);
    for (const label of ['Conversation', 'Goes to', 'How']) {
      const { x, width } = await boxOf(label);
      expect(x + width).toBeLessThanOrEqual(phone.width);
    }

    // However much there is to say of an act, its time stands at the end of its first line.
    await page.goto('/audit');
    const act = page.locator('[data-audit="agents/register"]');
    await act.getByText('transport sms').waitFor();
    const [who, when] = [await act.getByText('registered').boundingBox(), await act.locator('time').boundingBox()];
    expect(when?.y).toBeLessThan((who?.y ?? 0) + (who?.height ?? 0) / 2);
    expect((when?.x ?? 0) + (when?.width ?? 0)).toBeGreaterThan(phone.width - 24);
  },
);

test.skipIf(!hasBrowser)('a page of messages stands at its end, also once the receipts have come', async () => {
  await using world = await openDashboard();
  const { owner } = world;
  for (const name of ['Lead', 'Worker', 'Reviewer', 'Tester']) await owner.agents.register({ name, tags: ['everybody'] });
  for (let count = 1; count <= 30; count += 1) await owner.messages.send({ from: 'Lead', to: 'tag:everybody', body: `Step ${count}` });
  const page = await world.openPage('/messages');
  await page.setViewportSize(phone);
  await page.reload();
  const last = page.getByRole('log', { name: 'Messages' }).locator('article', { hasText: 'Step 30' });
  await last.getByText('Tester queued').waitFor();
  await until('the end of the list', async () => (await restPx(page)) <= 1);
  // A reader who looks further up is left there.
  await page.getByRole('log').evaluate((log) => log.scrollTo({ top: 0 }));
  await page.getByText('Step 1', { exact: true }).waitFor();
  await owner.messages.send({ from: 'Lead', to: 'tag:everybody', body: 'Step 31' });
  await owner.messages.send({ from: 'Lead', to: 'Worker', body: 'Step 32' });
  await page.getByText('Step 1', { exact: true }).waitFor();
  expect(await restPx(page)).toBeGreaterThan(200);
});

test.skipIf(!hasBrowser)(
  'on a phone the box to write in is at the bottom, and what is beside it in a wide window is a press away',
  async () => {
    await using world = await openDashboard();
    const { owner } = world;
    for (let count = 1; count <= 12; count += 1) await owner.agents.register({ name: `Agent-${count}`, status: 'idle' });
    for (let count = 1; count <= 30; count += 1) await owner.messages.send({ to: 'Agent-1', body: `Step ${count}` });
    const page = await world.openPage('/messages');
    await page.setViewportSize(phone);
    const bottomOf = async (name: string) => {
      const box = await page.getByRole('button', { name }).boundingBox();
      return box === null ? Number.NaN : phone.height - box.y - box.height;
    };
    const expectEnd = () => until('the end of the list', async () => (await restPx(page)) <= 1);
    await page.getByText('Step 30', { exact: true }).waitFor();
    expect(await bottomOf('Send')).toBeLessThan(24);
    // What went wrong takes room from the list, whose end stays in sight.
    await expectEnd();
    await page.getByLabel('To', { exact: true }).fill('Nobody');
    await page.getByLabel('Message', { exact: true }).fill('Hello');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').getByText('No agent is called Nobody').waitFor();
    await expectEnd();
    await keepScreenshot(page, 'phone-send-error');

    await page.getByRole('button', { name: 'Agents' }).click();
    const agents = page.getByRole('navigation', { name: 'Agents' });
    await agents.getByText('Agent-9').waitFor();
    expect((await agents.boundingBox())?.height).toBeGreaterThan(phone.height * 0.7);
    expect(await page.getByRole('button', { name: 'Send' }).isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Messages' }).click();
    await expectEnd();
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('Hello');

    await page.goto('/agents/Agent-1');
    await page.getByText('Step 30', { exact: true }).waitFor();
    expect(await bottomOf('Send')).toBeLessThan(24);
    await page.getByRole('button', { name: 'Activity' }).click();
    await page.getByText('Nothing yet.').waitFor();
    await page.getByRole('button', { name: 'Messages' }).click();
    await expectEnd();

    // Of the pages' names a few fit beside each other: the one that is open is among them, or what leads to it.
    for (const [path, name] of [
      ['/tokens', 'Tokens'],
      ['/hooks', 'Fleet'],
    ] as const) {
      await page.goto(path);
      const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name });
      await link.waitFor();
      // Also once it was turned, and back.
      await page.setViewportSize({ width: 1400, height: 390 });
      await until('all of the names', () => page.evaluate<boolean>('innerWidth === 1400'));
      await page.setViewportSize(phone);
      await until(`${name} in sight`, async () => {
        const box = await link.boundingBox();
        return box !== null && box.x >= 0 && box.x + box.width <= phone.width;
      });
    }
  },
);

test.skipIf(!hasBrowser)(
  'a wide window keeps lines that can be read, and gives one agent’s messages and activity the same room',
  async () => {
    await using world = await openDashboard();
    await world.owner.agents.register({ name: 'Worker' });
    await world.owner.messages.send({ to: 'Worker', body: 'Wide '.repeat(200) });
    const page = await world.openPage('/messages');
    await page.setViewportSize({ width: 1920, height: 1080 });
    const widthOf = async (what: Locator) => (await what.boundingBox())?.width ?? Number.NaN;
    const row = page.locator('article').first();
    await row.waitFor();
    expect(await widthOf(row)).toBeLessThanOrEqual(1152);
    expect(await widthOf(page.getByRole('textbox', { name: 'Message' }))).toBeLessThanOrEqual(1152);
    await page.goto('/agents/Worker');
    const [messages, activity] = [
      page.getByRole('region', { name: 'What is said with Worker' }),
      page.getByRole('complementary', { name: 'Activity of Worker' }),
    ];
    await activity.waitFor();
    expect(Math.abs((await widthOf(messages)) - (await widthOf(activity)))).toBeLessThanOrEqual(2);
  },
);
