import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { openDashboard } from './support.ts';

test.skipIf(!hasBrowser)('a report appears without a reload, is followed through its life, and the owner ends it', async () => {
  await using world = await openDashboard();
  const { owner, ops } = world;
  await owner.agents.register({ name: 'Worker', tags: ['ops'] });
  const page = await world.openPage('/tasks');
  await page.getByText('No task is active.').waitFor();
  const alarm = { title: 'Disk of db-2 full', severity: 'critical', dedupeKey: 'db-2', target: 'tag:ops', metadata: { host: 'db-2' } };
  const { task } = await ops.integrations.report({ ...alarm, externalUrl: 'https://monitor.example/1' });
  const id = task?.id ?? 0;
  const row = page.locator(`[data-task-id="${id}"]`);
  await row.getByText('open', { exact: false }).first().waitFor();
  await ops.integrations.report(alarm);
  await row.getByText('×2').waitFor();
  await page.getByRole('link', { name: /^Tasks 1/u }).waitFor();

  await row.click();
  const detail = page.getByRole('complementary', { name: `Task ${id}` });
  await detail.getByText('db-2', { exact: true }).first().waitFor();
  expect(await detail.getByRole('link', { name: /Open at ops-monitor/u }).getAttribute('href')).toBe('https://monitor.example/1');
  const { fence } = await owner.tasks.claim({ id, agentId: 'Worker' });
  await owner.tasks.status({ id, agentId: 'Worker', fence, status: 'in_progress', progress: { percent: 40, note: 'removing logs' } });
  await detail.getByText('removing logs', { exact: true }).waitFor();
  await detail.getByText('reported again').waitFor();
  await detail.locator('[data-callback-status="delivered"]').nth(2).waitFor();
  await keepScreenshot(page, 'dashboard-task');

  await detail.getByRole('button', { name: 'Done' }).click();
  await detail.getByRole('textbox').fill('Cleaned by hand');
  await detail.getByRole('button', { name: 'End as done' }).click();
  await detail.locator('[data-task-status="done"]').waitFor();
  await row.waitFor({ state: 'detached' });
  expect(await owner.tasks.get({ id })).toMatchObject({ status: 'done', result: 'Cleaned by hand' });
  await page.getByRole('combobox', { name: 'Status' }).selectOption('Ended');
  await row.waitFor();
  await detail.getByRole('link', { name: 'Open its message' }).click();
  await page.locator(`[data-message-id="${id}"]`).getByText('Disk of db-2 full').first().waitFor();
});

test.skipIf(!hasBrowser)(
  'a callback that was given up is counted, told with its reason, and delivered once its listener is back',
  async () => {
    await using world = await openDashboard();
    const { owner, ops } = world;
    await owner.agents.register({ name: 'Worker' });
    const page = await world.openPage('/callbacks');
    await page.getByText('Nothing was given up.').waitFor();
    world.answer(503);
    for (const title of ['one', 'two']) await ops.integrations.report({ title, target: 'Worker' });
    const failing = async () => (await owner.callbacks.list({ status: 'pending' })).data.filter(({ attempts }) => attempts > 0);
    await until('the first attempts', async () => (await failing()).length === 2);
    await page.getByRole('link', { name: 'Waiting 2' }).waitFor();
    world.passDays(1);
    await page.getByRole('link', { name: /^Callbacks 2 gave up/u }).waitFor();
    // The count and the list are read by themselves.
    const dead = page.locator('[data-callback-status="dead"]');
    await until('both callbacks', async () => (await dead.count()) === 2);
    await dead.first().getByText('It answered 503').waitFor();
    await keepScreenshot(page, 'dashboard-callbacks');

    world.answer(204);
    await dead.first().getByRole('button', { name: 'Redeliver' }).click();
    await page.getByRole('link', { name: /^Callbacks 1 gave up/u }).waitFor();
    await page.getByRole('button', { name: 'Redeliver all 1' }).click();
    await page.getByText('Nothing was given up.').waitFor();
    await page.getByRole('link', { name: 'Delivered' }).click();
    await page.locator('[data-callback-status="delivered"]').nth(1).waitFor();
  },
);

test.skipIf(!hasBrowser)(
  'the owner takes offered work back from its holder, who is told why; somebody who was faster is no failure',
  async () => {
    await using world = await openDashboard();
    const { owner } = world;
    for (const name of ['Lead', 'Worker']) await owner.agents.register({ name, tags: ['ops'] });
    const { id } = await owner.messages.send({ from: 'Lead', to: 'tag:ops', body: 'Rotate the logs', claimable: true });
    await owner.messages.claim({ id, agentId: 'Worker' });
    const page = await world.openPage('/messages');
    const row = page.locator(`[data-message-id="${id}"]`);
    await row.getByText('claimed by Worker').waitFor();
    await row.getByRole('button', { name: `Take back message ${id} from Worker` }).click();
    await row.getByLabel('Reason').fill('It is on leave');
    await keepScreenshot(page, 'dashboard-take-back');
    await row.getByRole('button', { name: 'Take back' }).click();
    await row.getByText('open work').waitFor();
    // It stands so on the page before the relay has heard of it.
    await until('that it is taken back', async () => (await owner.messages.get({ id })).claim?.status === 'released');
    expect((await owner.messages.get({ id })).claim).toMatchObject({ status: 'released', reason: 'It is on leave' });
    const told = (await owner.inbox.list({ id: 'Worker', peek: true })).data.map(({ message }) => message.body).join();
    expect(told).toContain('It is on leave');

    // The page has not heard that the work was done: pressing says so, and changes nothing.
    const claim = await owner.messages.claim({ id, agentId: 'Worker' });
    const behind = await world.openPageBehind('claim.completed', '/messages');
    const late = behind.locator(`[data-message-id="${id}"]`);
    await late.getByText('claimed by Worker').waitFor();
    await owner.claims.complete({ id: claim.claimId, agentId: 'Worker', result: 'done' });
    await late.getByRole('button', { name: `Take back message ${id} from Worker` }).click();
    await late.getByRole('button', { name: 'Take back' }).click();
    await late.getByRole('alert').getByText('completed').waitFor();
    expect((await owner.messages.get({ id })).claim).toMatchObject({ status: 'completed' });
  },
);

test.skipIf(!hasBrowser)('a task is taken back from its holder where it is shown who holds it', async () => {
  await using world = await openDashboard();
  const { owner, ops } = world;
  await owner.agents.register({ name: 'Worker' });
  const { task } = await ops.integrations.report({ title: 'Disk full', target: 'Worker' });
  const id = task?.id ?? 0;
  await owner.tasks.claim({ id, agentId: 'Worker' });
  const page = await world.openPage(`/tasks/${id}`);
  const detail = page.getByRole('complementary', { name: `Task ${id}` });
  await detail.getByRole('button', { name: `Take back task ${id} from Worker` }).click();
  await detail.getByLabel('Reason').fill('Another one does it');
  await detail.getByRole('button', { name: 'Take back' }).click();
  await detail.locator('[data-task-status="open"]').waitFor();
  expect(await detail.getByRole('button', { name: /^Take back/u }).count()).toBe(0);
  await until('that it is taken back', async () => (await owner.messages.get({ id })).claim?.status === 'released');
  expect((await owner.messages.get({ id })).claim).toMatchObject({ status: 'released', reason: 'Another one does it' });
});

test.skipIf(!hasBrowser)('an address that leads nowhere says so, and leads on', async () => {
  await using world = await openDashboard();
  const page = await world.openPage('/nowhere');
  for (const path of ['/nowhere', '/tasks/abc', '/pairs/0', '/messages/-1']) {
    await page.goto(path);
    await page.getByText('There is no such page.').waitFor();
    expect(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count()).toBeGreaterThan(6);
  }
  await page.getByRole('link', { name: 'all messages' }).click();
  await page.getByText('No messages yet.').waitFor();
});

test.skipIf(!hasBrowser)('the tokens page marks the session of its browser, and says what revoking it does', async () => {
  await using world = await openDashboard();
  const other = await world.openPage('/tokens');
  const page = await world.openPage('/tokens');
  await page.locator('[data-token="browser"]').nth(1).waitFor();
  const own = page.locator('[data-token="browser"]', { hasText: 'this browser' });
  expect(await own.count()).toBe(1);
  await own.getByRole('button', { name: 'Revoke browser' }).click();
  await own.getByRole('button', { name: 'Signs you out here: revoke' }).click();
  await page.getByText('This browser is not signed in.').waitFor();
  await other.getByText('this browser').waitFor();
  await until('the other session to be gone', async () => (await other.locator('[data-token="browser"]').count()) === 1);
});

test.skipIf(!hasBrowser)('a login address without its code says once what to do', async () => {
  await using world = await openDashboard();
  const page = await world.openStrangersPage();
  await page.goto('/login');
  await page.getByRole('alert').getByText('agent-relay login prints').waitFor();
  expect((await page.getByRole('main').innerText()).split('agent-relay login')).toHaveLength(2);
});

test.skipIf(!hasBrowser)('a pair is seen as it talks, and the owner hangs up with a reason', async () => {
  await using world = await openDashboard();
  const { owner } = world;
  for (const name of ['Lead', 'Reviewer']) await owner.agents.register({ name, status: 'idle' });
  const page = await world.openPage('/pairs');
  await page.getByText('No pairs yet.').waitFor();
  const { id } = await owner.pairs.request({ from: 'Lead', target: 'Reviewer', objective: 'Agree on the migration' });
  await page.locator(`[data-pair-id="${id}"]`).click();
  const detail = page.getByRole('complementary', { name: `Pair ${id}` });
  await detail.getByText('Reviewer has not answered yet.').waitFor();
  await owner.pairs.accept({ id, agentId: 'Reviewer' });
  await detail.getByText('Nothing was said yet.').waitFor();
  await owner.pairs.send({ id, from: 'Lead', body: 'Keep the old column?' });
  await owner.pairs.send({ id, from: 'Reviewer', body: 'For one release.' });
  const chat = page.getByRole('log');
  await chat.getByText('For one release.').waitFor();
  expect(await chat.locator('article').allInnerTexts()).toHaveLength(2);
  await keepScreenshot(page, 'dashboard-pair');
  await detail.getByRole('button', { name: 'Hang up' }).click();
  await detail.getByLabel('Reason').fill('The meeting is over');
  await detail.getByRole('button', { name: 'Hang up' }).click();
  await detail.getByText('owner hung up: The meeting is over').waitFor();
  expect(await owner.pairs.get({ id })).toMatchObject({ status: 'ended', cause: 'hung_up', reason: 'The meeting is over' });
});

test.skipIf(!hasBrowser)(
  'a token is shown once; whoever signs in with it reads, is offered nothing else, and is out when it is revoked',
  async () => {
    await using world = await openDashboard();
    const { owner, ops } = world;
    await owner.agents.register({ name: 'Worker' });
    const { task } = await ops.integrations.report({ title: 'Disk full', target: 'Worker' });
    const page = await world.openPage('/tokens');
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('wallboard');
    await dialog.getByLabel('For', { exact: true }).selectOption('observer');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const token = await dialog.locator('[data-token-secret]').innerText();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.locator('[data-token="wallboard"]').waitFor();
    expect(await page.content()).not.toContain(token);

    const board = await world.openStrangersPage();
    await board.goto(`/tasks/${task?.id}`);
    await board.getByLabel('Token').fill('wrong');
    await board.getByRole('button', { name: 'Sign in' }).click();
    await board.getByText('The token is not valid here, or not any more').waitFor();
    await board.getByLabel('Token').fill(token);
    await board.getByRole('button', { name: 'Sign in' }).click();
    await board.getByText('Its holder, its source and the owner may end it.').waitFor();
    expect(await board.getByRole('link', { name: 'Tokens' }).count()).toBe(0);
    await board.getByRole('link', { name: 'Messages' }).click();
    await board.getByText('messages:write').waitFor();
    expect(await board.getByRole('button').allInnerTexts()).toEqual(['Skip to the page', 'Go to…', '◐', 'Sign out']);

    await page.getByRole('button', { name: 'Revoke wallboard' }).click();
    await page.getByRole('button', { name: 'Ends at once: revoke' }).click();
    await page.locator('[data-token="wallboard"]').waitFor({ state: 'detached' });
    await board.getByText('This browser is not signed in.').waitFor();
  },
);

test.skipIf(!hasBrowser)(
  'a thousand agents, tasks and messages are lists one can walk by keyboard, of which the page holds what is in sight',
  async () => {
    await using world = await openDashboard();
    const { owner, ops } = world;
    const names = Array.from({ length: 1_000 }, (_, index) => `agent-${String(index).padStart(4, '0')}`);
    for (let from = 0; from < names.length; from += 50) {
      await Promise.all(
        names.slice(from, from + 50).map(async (name) => {
          await owner.agents.register({ name, status: 'idle' });
          await ops.integrations.report({ title: `Task of ${name}`, target: name });
        }),
      );
    }
    const page = await world.openPage('/tasks');
    await page.getByRole('link', { name: /^Tasks 999\+/u }).waitFor();
    const rows = page.getByRole('list', { name: 'Tasks' }).getByRole('link');
    await rows.first().focus();
    await page.keyboard.press('ArrowDown');
    const focused = () => page.locator('[aria-posinset]:has(:focus)').getAttribute('aria-posinset');
    const last = String((await world.owner.tasks.count({ status: 'active' })).counts['open']);
    // Whoever comes to the end of what was read has the next page read.
    await until('the last row', async () => {
      await page.keyboard.press('End');
      return (await focused()) === last;
    });
    await page.keyboard.press('ArrowUp');
    await until('the last row but one', async () => (await focused()) === String(Number(last) - 1));
    expect(await rows.count()).toBeLessThan(80);
    await page.goto('/messages');
    await page.getByLabel('Find agents').fill('agent-0777');
    await page.getByRole('link', { name: /^agent-0777/u }).waitFor();
    expect(await page.getByRole('navigation', { name: 'Agents' }).getByRole('listitem').count()).toBe(1);
  },
);
