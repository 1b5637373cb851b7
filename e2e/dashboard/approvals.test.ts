import type { ApprovalQuestion } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

const questions: Readonly<Record<string, ApprovalQuestion>> = {
  deploy: { kind: 'execute', title: 'Bash: make deploy', input: { command: 'make deploy ENV=live', description: 'Deploys' } },
  choose: {
    ...{ kind: 'other', title: 'Choose a colour', input: { command: 'paint' }, isEditable: true },
    form: [{ id: 'q', text: 'Which colour?', choices: ['Red', 'Blue'].map((value) => ({ value, label: value })), allowsText: true }],
    options: [
      { id: 'go', label: 'Paint until the session ends', outcome: 'allow_session' },
      { id: 'deny', label: 'Do not paint', outcome: 'deny' },
      { id: 'stop', label: 'Stop the turn', outcome: 'cancel' },
    ],
  },
  migrate: { kind: 'edit', title: 'Write: /srv/schema.sql', input: { file_path: '/srv/schema.sql', content: 'drop table users;' } },
};

/** An agent that waits for the answer to what the message makes it ask; answers the id of the question. */
async function askBy({ owner }: DashboardWorld, agentId: string, word: string): Promise<string> {
  await owner.messages.send({ to: agentId, body: `Please ${word}` });
  const wanted = questions[word]?.title;
  return until('the question', async () => {
    const { data } = await owner.approvals.list({ status: 'pending', agent: agentId });
    return data.find(({ title }) => title === wanted)?.approvalId;
  });
}

test.skipIf(!hasBrowser)('two people answer one question: it is done once, and who was second is told who was first', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await using node = await startAskingNode(relay, questions);
  await owner.sessions.start({ provider: 'asker', name: 'Worker', approval: 'guarded' });
  const first = await world.openPage('/approvals');
  const second = await world.openPageBehind('approval.resolved', '/approvals');
  await first.getByText('No agent has asked for anything.').waitFor();
  await first.getByText('--ask').waitFor();
  const id = await askBy(world, 'Worker', 'deploy');
  const card = first.locator(`[data-approval-id="${id}"]`);
  await card.getByText('make deploy ENV=live').waitFor();
  await first.getByRole('link', { name: /^Approvals 1 waiting/u }).waitFor();
  await second.getByRole('button', { name: /^Deny/u }).click();
  await second.keyboard.type('Not on a Friday');
  await card.getByRole('button', { name: /^Allow/u }).click();
  await card.getByText('allowed by owner').waitFor();
  await until('the deed', () => node.done.length > 0);
  await second.keyboard.press('Enter');
  await second.getByText(`${id} is allowed already, by owner`).waitFor();
  expect(await second.getByRole('alert').count()).toBe(0);
  expect(node.done).toEqual(['Bash: make deploy']);
  await keepScreenshot(first, 'dashboard-approvals');
});

test.skipIf(!hasBrowser)(
  'what an agent started as guarded asks stands above the composer on its own page, and is denied there with a reason',
  async () => {
    await using world = await openDashboard();
    const { owner, relay } = world;
    await using node = await startAskingNode(relay, questions);
    const page = await world.openPage();
    await page.getByRole('button', { name: 'New agent' }).click();
    await page.getByLabel('Name').fill('Worker');
    await page.getByLabel('When a message comes').selectOption('it asks you first');
    await keepScreenshot(page, 'dashboard-new-agent');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.waitForURL('**/agents/Worker');
    const { token } = await owner.tokens.create({ name: 'board', kind: 'observer' });
    const id = await askBy(world, 'Worker', 'migrate');
    const asks = page.getByRole('region', { name: 'What Worker asks' });
    await asks.getByText('drop table users;').waitFor();
    await keepScreenshot(page, 'dashboard-agent-asks');
    const board = await world.openStrangersPage();
    await board.goto('/approvals');
    await board.getByLabel('Token').fill(token);
    await board.getByRole('button', { name: 'Sign in' }).click();
    await board.getByText('drop table users;').waitFor();
    expect(await board.getByRole('article').getByRole('button').count()).toBe(0);

    await asks.getByRole('button', { name: /^Deny/u }).click();
    await page.keyboard.type('Keep the users');
    await page.keyboard.press('Enter');
    await asks.waitFor({ state: 'detached' });
    await page.getByText('Write: /srv/schema.sql: denied').waitFor();
    await board.locator(`[data-approval-id="${id}"]`).getByText('Keep the users').waitFor();
    expect(node.done).toEqual([]);
  },
);

test.skipIf(!hasBrowser)(
  "an agent's own options are buttons, what it asks in words is filled in, and another input runs instead",
  async () => {
    await using world = await openDashboard();
    const { owner, relay } = world;
    await using _node = await startAskingNode(relay, questions);
    await owner.sessions.start({ provider: 'asker', name: 'Worker', approval: 'guarded' });
    const page = await world.openPage('/approvals');
    const id = await askBy(world, 'Worker', 'choose');
    const card = page.locator(`[data-approval-id="${id}"]`);
    await card.getByRole('button', { name: 'Stop the turn' }).waitFor();
    await card.getByText(/^denied in/u).waitFor();
    await card.getByRole('button', { name: /^Paint/u }).click();
    await card.getByText('answers.q: is missing').waitFor();
    await card.getByLabel('Blue').check();
    await card.getByRole('button', { name: 'Change it' }).click();
    await card.getByLabel('What shall run instead').fill('{"command": "draw"}');
    await keepScreenshot(page, 'dashboard-approval-form');
    await card.getByRole('button', { name: /^Paint/u }).click();
    await card.getByText('Which colour? Blue').waitFor();
    expect((await owner.approvals.list({})).data).toMatchObject([
      { status: 'allowed', optionId: 'go', answers: { q: ['Blue'] }, updatedInput: { command: 'draw' }, by: 'owner' },
    ]);
  },
);

test.skipIf(!hasBrowser)('a question whose agent is gone is shown as withdrawn, and stays above the one that waits', async () => {
  await using world = await openDashboard();
  const { owner, relay } = world;
  await using _node = await startAskingNode(relay, questions);
  for (const name of ['Worker', 'Helper']) await owner.sessions.start({ provider: 'asker', name, approval: 'guarded' });
  const page = await world.openPage('/approvals');
  const [gone, open] = [await askBy(world, 'Worker', 'deploy'), await askBy(world, 'Helper', 'migrate')];
  const place = () => page.locator(`[data-approval-id="${open}"]`).boundingBox();
  await page.locator(`[data-approval-id="${open}"]`).waitFor();
  await owner.agents.release({ id: 'Worker' });
  const card = page.locator(`[data-approval-id="${gone}"][data-approval-status="cancelled"]`);
  await card.getByText('withdrawn before anybody answered').waitFor();
  expect(await card.getByRole('button').count()).toBe(0);
  expect((await card.boundingBox())?.y).toBeLessThan((await place())?.y ?? 0);
  await page.getByRole('link', { name: /^Approvals 1 waiting/u }).waitFor();
});
