import { recordRun } from 'agent-relay-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

// One relay, one machine and one browser for all of them.
let world: DashboardWorld;
let node: AskingNode;
let messageId = 0;
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard();
  node = await startAskingNode(world.relay, {});
  const { owner } = world;
  await owner.sessions.start({ provider: 'asker', name: 'Builder' });
  const sent = await owner.messages.send({ to: 'Builder', body: 'Please paint the shed crimson', channel: 'garden' });
  messageId = sent.id;
  const text = `[msg:${sent.id}] from owner on #garden: Please paint the shed crimson\n[end msg:${sent.id} owner 7f3a]`;
  node.tell({ type: 'user.message', turnId: 't', text, messageIds: [sent.id] });
  node.tell({ type: 'tool.started', turnId: 't', itemId: 'i', kind: 'execute', name: 'Bash', title: 'buy crimson paint', input: {} });
  node.tell({ type: 'tool.completed', turnId: 't', itemId: 'i', outcome: 'succeeded', output: 'bought' });
  for (let step = 1; step <= 60; step += 1) node.tell({ type: 'text.completed', turnId: 't', itemId: `x${step}`, text: `Coat ${step}` });
  await until('what it did', async () => (await owner.search.find({ text: '"Coat 60"' })).data.length > 0);
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

test.skipIf(!hasBrowser)('words lead to the message that said them, and to the moment in what an agent did', async () => {
  const page = await world.openPage('/');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).fill('crimson');
  await page.getByRole('option', { name: 'Search for “crimson”' }).click();
  const found = page.getByRole('region', { name: 'Found' });
  await found.getByText('3 found').waitFor();
  await found.locator('[data-hit="messages"] mark', { hasText: 'crimson' }).waitFor();
  // What the agent was handed is told as the message it was.
  expect(await found.getByText('[msg:').count()).toBe(0);
  await found.getByText(`message ${messageId}`).first().waitFor();
  await keepScreenshot(page, 'dashboard-search');
  await found.locator('[data-hit="activity"]', { hasText: 'Bash' }).getByRole('link').last().click();
  await page.waitForURL(/\/agents\/Builder\?session=.*entry=\d+/u);
  const activity = page.getByRole('complementary', { name: 'Activity of Builder' });
  await activity.getByText('buy crimson paint').waitFor();
  expect(await activity.getByText('Coat 60').count()).toBe(0);
  const prompt = activity.locator('[data-block="prompt"]');
  await prompt.getByRole('link', { name: 'owner' }).waitFor();
  expect(await prompt.innerText()).not.toMatch(/\[msg:|7f3a/u);
  await keepScreenshot(page, 'dashboard-moment');
  await page.goBack();
  await found
    .locator('[data-hit="messages"]')
    .getByRole('link', { name: /Please paint/u })
    .click();
  await page.waitForURL(`**/messages/${messageId}`);
});

test.skipIf(!hasBrowser)('filters narrow what is found, and the address keeps them', async () => {
  const page = await world.openPage('/search');
  await page.getByText('What do you look for?').waitFor();
  await page.getByLabel('Words').fill('crimson');
  await page.getByLabel('Tool').fill('Bash');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('1 found').waitFor();
  await page.waitForURL(/tool=Bash/u);
  await page.reload();
  await page.getByText('1 found').waitFor();
  await page.getByLabel('Words').fill('!!!');
  await page.keyboard.press('Enter');
  await page
    .getByRole('alert')
    .getByText(/^text: Say a word/u)
    .waitFor();
});

test.skipIf(!hasBrowser)('the log is shown as it goes on, narrowed by kind and channel, from where one says', async () => {
  const { owner } = world;
  const page = await world.openPage('/events');
  const log = page.getByRole('log', { name: 'Events' });
  await log.locator('[data-event="message.new"]').first().waitFor();
  await page.getByLabel('Kind').fill('message');
  await page.getByLabel('Channel').fill('garden');
  await page.getByLabel('Channel').press('Enter');
  await page.waitForURL(/type=message.*channel=garden/u);
  await until('only these', async () => (await log.locator('[data-event]').count()) === 1);
  const { id } = await owner.messages.send({ to: 'Builder', body: 'And the door', channel: 'garden' });
  await owner.messages.send({ to: 'Builder', body: 'And the roof', channel: 'attic' });
  // By its number alone: another one may have come at such an hour.
  const row = log.locator('[data-event="message.new"]', { has: page.getByText(String(id), { exact: true }) });
  await row.locator('summary').click();
  await row.getByText('"body": "And the door"').waitFor();
  await keepScreenshot(page, 'dashboard-events');
  expect(await log.getByText('And the roof').count()).toBe(0);
  await page.getByLabel('After').fill(String(id - 1));
  await page.getByLabel('After').press('Enter');
  await until('what follows', async () => (await log.locator('[data-event]').count()) === 1);
  await page.getByRole('link', { name: 'From further back' }).click();
  await until('what went before', async () => (await log.locator('[data-event]').count()) === 2);
});

test.skipIf(!hasBrowser)('mail to the owner is read once it was looked at; mail that failed is found by that and sent again', async () => {
  const { owner } = world;
  const toOwner = await owner.messages.send({ from: 'Builder', to: 'owner', body: 'It is painted' });
  const receipt = async (id: number) => (await owner.messages.deliveries({ id })).data.map(({ state, evidence }) => `${state} ${evidence}`);
  expect(await receipt(toOwner.id)).toEqual(['queued null']);
  await owner.agents.register({ name: 'Absent' });
  const lost = await owner.messages.send({ to: 'Absent', body: 'Lend me a ladder', subject: 'Ladder' });
  const page = await world.openPage('/messages');
  await page.locator(`[data-message-id="${toOwner.id}"] [data-receipt="seen"]`).waitFor();
  expect(await receipt(toOwner.id)).toEqual(['seen ack']);
  await page.getByLabel('Only what is').selectOption('failed');
  await page.getByText('No message fits.').waitFor();
  await owner.deliveries.report({ id: 'Absent', reports: [{ messageId: lost.id, state: 'failed', reason: 'nobody home' }] });
  const row = page.locator(`[data-message-id="${lost.id}"]`);
  await row.getByRole('button', { name: `Send again message ${lost.id}` }).click();
  await row.getByRole('link', { name: 'sent again' }).waitFor();
  await keepScreenshot(page, 'dashboard-failed');
  const { data } = await owner.messages.list({ for: 'Absent', newest: true });
  expect(data.at(-1)).toMatchObject({ from: 'owner', to: 'id:Absent', body: 'Lend me a ladder', subject: 'Ladder' });
  expect(data.at(-1)?.id).toBeGreaterThan(lost.id);
});

test.skipIf(!hasBrowser)('a recorded run is opened from a file, and stays in the page', async () => {
  const { owner } = world;
  const page = await world.openPage('/graph');
  const fileOf = (text: string) => ({ name: 'run.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(text) });
  for (const name of ['Kim', 'Lou']) await owner.agents.register({ name });
  await owner.messages.send({ from: 'Kim', to: 'Lou', body: 'Recorded' });
  const { task } = await owner.integrations.report({ source: 'ops', title: 'Paint it', target: 'Kim' });
  await owner.tasks.claim({ id: task?.id ?? 0, agentId: 'Kim' });
  const run = (await recordRun(owner, { recordedAt: Date.now(), agents: ['Kim'] })).map((record) => JSON.stringify(record)).join('\n');
  await owner.messages.send({ from: 'Lou', to: 'Kim', body: 'Not any more' });
  await page.locator('[data-talk="Lou/Kim"]').waitFor();
  await page.getByLabel('Open a run').setInputFiles(fileOf('no run at all'));
  await page.getByRole('alert').getByText('line 1').waitFor();
  await page.getByLabel('Open a run').setInputFiles(fileOf(run));
  await page.getByText('in run.ndjson: 2 messages').waitFor();
  expect(await page.locator('[data-step]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-step')))).toEqual([
    `takes task ${task?.id}, Paint it`,
    `reports task ${task?.id}, Paint it`,
  ]);
  expect(await page.locator('[data-mark]').count()).toBeGreaterThan(0);
  expect(await page.locator('[data-talk]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-talk')))).toEqual([
    ...['ops/Kim', 'Kim/Lou'],
  ]);
  expect(await page.locator('[data-talk]').getByRole('link').count()).toBe(0);
  await page.getByRole('button', { name: 'Back to this relay' }).click();
  await page.locator('[data-talk="Lou/Kim"]').waitFor();
});

test.skipIf(!hasBrowser)('who talks to whom is drawn and told, as it is now and as it was', async () => {
  const { owner } = world;
  for (const name of ['Ada', 'Bob']) await owner.agents.register({ name, tags: ['pair'] });
  await owner.messages.send({ from: 'Ada', to: 'Bob', body: 'One' });
  const page = await world.openPage('/graph');
  await page.locator('[data-talk="Ada/Bob"]').getByText('1', { exact: true }).waitFor();
  await owner.messages.send({ from: 'Bob', to: 'Ada', body: 'Two' });
  await owner.messages.send({ from: 'Bob', to: 'tag:pair', body: 'Three' });
  await page.locator('[data-talk="Bob/tag:pair"]').waitFor();
  await page.locator('[data-line="Bob/Ada"]').waitFor({ state: 'attached' });
  await keepScreenshot(page, 'dashboard-graph');
  await page.getByLabel('Up to').press('Home');
  await page.locator('[data-talk="Bob/tag:pair"]').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Replay' }).click();
  await page.locator('[data-talk="Bob/tag:pair"]').waitFor();
  await page.getByText('now', { exact: true }).first().waitFor();
  // A count leads to what it counts.
  await page.locator('[data-talk="Bob/Ada"]').getByRole('link', { name: '1', exact: true }).click();
  await page.getByRole('log', { name: 'Messages' }).getByText('Two', { exact: true }).waitFor();
  expect(await page.getByRole('log', { name: 'Messages' }).getByText('Three', { exact: true }).count()).toBe(0);
});
