import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startAskingNode } from './asking-node.ts';
import { openDashboard } from './support.ts';

test.skipIf(!hasBrowser)('an agent’s page shows what it sent, what was sent to it and to its groups, and nobody else’s mail', async () => {
  await using world = await openDashboard();
  const { owner } = world;
  await owner.agents.register({ name: 'Worker', tags: ['ops'] });
  await owner.agents.register({ name: 'Tester', tags: ['qa'] });
  await owner.messages.send({ to: 'tag:qa', body: 'Before: to the testers' });
  await owner.messages.send({ to: 'tag:ops', body: 'Before: to the operators' });
  const page = await world.openPage('/agents/Worker');
  const said = async () => (await page.getByRole('log', { name: 'Messages' }).locator('article [data-body]').allInnerTexts()).toSorted();
  await page.getByText('Before: to the operators').waitFor();
  await owner.messages.send({ to: 'tag:qa', body: 'To the testers' });
  await owner.messages.send({ to: 'Tester', body: 'To the tester' });
  await owner.messages.send({ to: 'tag:ops', body: 'To the operators' });
  await owner.messages.send({ from: 'Worker', to: 'Tester', body: 'Of the worker' });
  await owner.messages.send({ to: 'Worker', body: 'To the worker' });
  const own = ['Before: to the operators', 'Of the worker', 'To the operators', 'To the worker'];
  await until('all that concerns it', async () => (await said()).length >= own.length);
  expect(await said()).toEqual(own);
  // A page that is opened now agrees with the one that was open.
  const later = await world.openPage('/agents/Worker');
  await later.getByText('To the worker').waitFor();
  expect((await later.getByRole('log', { name: 'Messages' }).locator('article [data-body]').allInnerTexts()).toSorted()).toEqual(own);
});

test.skipIf(!hasBrowser)('why an agent could not be started is on its page, and it is started again in the same folder', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await using node = await startAskingNode(relay, {});
  const cwd = join(node.folder, 'app');
  await expect(owner.sessions.start({ provider: 'asker', name: 'Worker', cwd, approval: 'guarded', mode: 'safe' })).rejects.toThrow(cwd);
  const page = await world.openPage('/agents/Worker');
  await page.locator('[data-session-status="failed"]').getByText(`The folder ${cwd} does not exist`).waitFor();
  await keepScreenshot(page, 'dashboard-failed-start');
  await page.getByRole('button', { name: 'Start it again' }).click();
  const sessions = async () => (await owner.sessions.list({ agent: 'Worker' })).data;
  await until('that it fails again', async () => (await sessions()).filter(({ status }) => status === 'failed').length === 2);
  await mkdir(cwd);
  await page.getByRole('button', { name: 'Start it again' }).click();
  await page.getByRole('button', { name: 'Release' }).waitFor();
  expect(await page.locator('[data-session-status]').count()).toBe(0);
  await expect.poll(async () => (await sessions())[0]).toMatchObject({ status: 'running', cwd, mode: 'safe' });
  expect(await owner.agents.get({ id: 'Worker' })).toMatchObject({ approval: 'guarded' });
  await page.getByRole('button', { name: 'Release' }).click();
  await page.locator('[data-session-status="ended"]').waitFor();
});

test.skipIf(!hasBrowser)('an agent that is away goes on with its conversation, also where a later session never came to one', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await using node = await startAskingNode(relay, {});
  const begun = await owner.sessions.start({ provider: 'asker', name: 'Worker', cwd: node.folder, model: 'careful-1' });
  const page = await world.openPage('/agents/Worker');
  await page.getByText(/· careful-1 ·/u).waitFor();
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('button', { name: 'Go on where it was' }).click();
  await page.getByRole('button', { name: 'Release' }).waitFor();
  const sessions = async () => (await owner.sessions.list({ agent: 'Worker' })).data;
  const before = (await sessions()).at(-1);
  expect(before?.sessionId).toBe(begun.sessionId);
  await expect.poll(async () => (await sessions())[0]?.status).toBe('running');
  expect(node.resumed).toEqual([before?.vendorSessionId]);
  await page.getByRole('button', { name: 'Release' }).click();
  await page.locator('[data-session-status="ended"]').waitFor();

  await expect(owner.sessions.start({ provider: 'asker', name: 'Worker', cwd: join(node.folder, 'gone') })).rejects.toThrow('gone');
  await page.locator('[data-session-status="failed"]').waitFor();
  await keepScreenshot(page, 'dashboard-go-on');
  await page.getByRole('button', { name: /^Go on where it was on /u }).click();
  await page.getByRole('button', { name: 'Release' }).waitFor();
  await expect
    .poll(async () => (await sessions())[0])
    .toMatchObject({ status: 'running', cwd: node.folder, vendorSessionId: before?.vendorSessionId });
  expect(node.resumed).toEqual([before?.vendorSessionId, before?.vendorSessionId]);
  // A model that was used is offered to the next agent.
  await page.getByRole('button', { name: 'New agent' }).click();
  await page.locator('#models option[value="careful-1"]').waitFor({ state: 'attached' });
});

test.skipIf(!hasBrowser)('an agent that waits for an answer is first in the list and waiting, until somebody answers', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await using _node = await startAskingNode(relay, {
    deploy: { kind: 'execute', title: 'make deploy', input: { command: 'make deploy' } },
  });
  await owner.agents.register({ name: 'Aware', status: 'busy' });
  await owner.sessions.start({ provider: 'asker', name: 'Worker' });
  const page = await world.openPage('/messages');
  const first = page.getByRole('navigation', { name: 'Agents' }).getByRole('listitem').first();
  await first.getByText('Aware').waitFor();
  await owner.messages.send({ to: 'Worker', body: 'Please deploy' });
  await first.getByText('Worker').waitFor();
  await first.getByText('waiting').waitFor();
  await first.getByRole('link').click();
  await page.getByRole('heading', { name: 'Worker' }).locator('..').getByText('waiting').waitFor();
  await page.getByRole('button', { name: /^Allow/u }).click();
  await page.getByRole('heading', { name: 'Worker' }).locator('..').getByText('idle').waitFor();
});

const activity = (page: Page) => page.getByRole('log', { name: 'Activity' });
const restPx = (page: Page) => activity(page).evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);

test.skipIf(!hasBrowser)('thousands of things an agent did are one list, of which the page holds what is in sight', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await using node = await startAskingNode(relay, {});
  await owner.sessions.start({ provider: 'asker', name: 'Worker' });
  const work = (from: number, to: number) => {
    for (let step = from; step <= to; step += 1) {
      const item = { turnId: 't', itemId: `step-${step}` };
      node.tell({ type: 'tool.started', ...item, name: 'Bash', kind: 'execute', title: `step ${step} of the work` });
      node.tell({ type: 'tool.completed', ...item, outcome: 'succeeded', output: `output of ${step}\n`.repeat(30) });
    }
  };
  node.tell({ type: 'turn.started', turnId: 't' });
  const page = await world.openPage('/agents/Worker');
  await activity(page).getByText('Session started').waitFor();
  work(1, 2_000);
  const last = activity(page).getByText('step 2000 of the work');
  await last.waitFor();
  await until('the end', async () => (await restPx(page)) <= 1);
  const items = activity(page).getByRole('listitem');
  expect(Number(await items.first().getAttribute('aria-setsize'))).toBeGreaterThan(2_000);
  expect(await items.count()).toBeLessThan(80);

  // What is unfolded stays where it is pressed, and is unfolded still when the reader is back.
  const top = async () => (await last.boundingBox())?.y;
  const before = await top();
  await last.click();
  await activity(page).getByText('output of 2000').first().waitFor();
  expect(await top()).toBe(before);
  await activity(page).focus();
  await page.keyboard.press('Home');
  await activity(page).getByText('step 1 of the work').waitFor();
  expect(await last.count()).toBe(0);
  await page.keyboard.press('End');
  await activity(page).getByText('output of 2000').first().waitFor();

  // A reader further up is left there while more comes.
  await page.keyboard.press('Home');
  await activity(page).getByText('step 1 of the work').waitFor();
  work(2_001, 2_100);
  await until('the rest', async () => Number(await items.first().getAttribute('aria-setsize')) > 2_100);
  expect(await activity(page).evaluate((log) => log.scrollTop)).toBe(0);
  await keepScreenshot(page, 'dashboard-activity');
  // A page that is opened later has the newest of it.
  const later = await world.openPage('/agents/Worker');
  await activity(later).getByText('step 2100 of the work').waitFor();
  await until('the end', async () => (await restPx(later)) <= 1);
});
