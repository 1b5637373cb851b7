import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { openDashboard } from './support.ts';

const phone = { width: 390, height: 844 };

test.skipIf(!hasBrowser)('on a phone the fields of every form stay in their columns', async () => {
  await using world = await openDashboard();
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
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Messages' }).click();
  await page.getByRole('button', { name: 'New agent' }).click();
  await expectBeside('Name', 'Kind');
  await expectBeside('May', 'When a message comes');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Channels' }).click();
  await page.locator('[data-channel-id="phone"]').click();
  for (const label of ['Conversation', 'Goes to', 'How']) {
    const { x, width } = await boxOf(label);
    expect(x + width).toBeLessThanOrEqual(phone.width);
  }
});

test.skipIf(!hasBrowser)('a page of messages stands at its end, also once the receipts have come', async () => {
  await using world = await openDashboard();
  const { owner } = world;
  for (const name of ['Lead', 'Worker', 'Reviewer', 'Tester']) await owner.agents.register({ name, tags: ['everybody'] });
  for (let count = 1; count <= 30; count += 1) await owner.messages.send({ from: 'Lead', to: 'tag:everybody', body: `Step ${count}` });
  const page = await world.openPage('/');
  await page.setViewportSize(phone);
  await page.reload();
  const last = page.getByRole('log', { name: 'Messages' }).locator('article', { hasText: 'Step 30' });
  await last.getByText('Tester queued').waitFor();
  const restPx = () => page.getByRole('log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
  await until('the end of the list', async () => (await restPx()) <= 1);
  // A reader who looks further up is left there.
  await page.getByRole('log').evaluate((log) => log.scrollTo({ top: 0 }));
  await page.getByText('Step 1', { exact: true }).waitFor();
  await owner.messages.send({ from: 'Lead', to: 'tag:everybody', body: 'Step 31' });
  await owner.messages.send({ from: 'Lead', to: 'Worker', body: 'Step 32' });
  await page.getByText('Step 1', { exact: true }).waitFor();
  expect(await restPx()).toBeGreaterThan(200);
});
