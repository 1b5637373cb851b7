import type { ApprovalQuestion } from 'agent-relay-provider';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

const questions: Readonly<Record<string, ApprovalQuestion>> = {
  check: { kind: 'execute', title: 'Bash: npm test', input: { command: 'npm test', description: 'Tests' } },
  drop: { kind: 'execute', title: 'Bash: dropdb live', input: { command: 'dropdb live' } },
};

// One relay, one machine and one browser: each test has an agent of its own.
let world: DashboardWorld;
let node: AskingNode;
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard();
  node = await startAskingNode(world.relay, questions);
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

async function ask(agentId: string, word: string): Promise<string> {
  await world.owner.messages.send({ to: agentId, body: `Please ${word}` });
  return until('the question', async () => {
    const { data } = await world.owner.approvals.list({ status: 'pending', agent: agentId });
    return data.find(({ title }) => title === questions[word]?.title)?.approvalId;
  });
}

test.skipIf(!hasBrowser)('a question becomes a standing rule, whose uses are told, and which is revoked', async () => {
  const { owner } = world;
  await owner.sessions.start({ provider: 'asker', name: 'Builder', approval: 'guarded' });
  const page = await world.openPage('/approvals');
  const card = page.locator(`[data-approval-id="${await ask('Builder', 'check')}"]`);
  await card.getByRole('button', { name: 'Always allow' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('At most so often').fill('5');
  await dialog.getByLabel('Called').fill('Its tests');
  expect(await dialog.getByLabel('Commands that begin with').inputValue()).toBe('npm test');
  await keepScreenshot(page, 'dashboard-new-rule');
  await dialog.getByRole('button', { name: 'Allow from now on' }).click();
  // The question that it is made from is the first that it answers.
  await card.getByText(/allowed by rule:\d+/u).waitFor();
  await owner.messages.send({ to: 'Builder', body: 'Please check again' });
  await page.getByRole('link', { name: 'Standing rules' }).click();
  const rule = page.locator('[data-rule]', { hasText: 'Its tests' });
  await rule.getByText('used 2 of 5 times').waitFor();
  expect((await owner.rules.list({})).data).toMatchObject([
    { agentId: 'Builder', command: ['npm', 'test'], maxUses: 5, uses: 2, ended: null },
  ]);
  await keepScreenshot(page, 'dashboard-rules');
  await rule.getByRole('link', { name: 'used 2 of 5 times' }).click();
  await until('what it answered', async () => (await page.locator('[data-approval-status="allowed"]').count()) === 2);
  await page.goBack();
  await rule.getByRole('button', { name: 'Revoke Its tests' }).click();
  await rule.getByRole('button', { name: 'It is asked about again: revoke' }).click();
  await rule.getByText(/revoked .* by owner/u).waitFor();
  await page.getByText('No rule holds now.').waitFor();
  await ask('Builder', 'check');
});

interface HeldPage {
  readonly page: Page;
  /** Refuses what was asked by this method, once it was; what is asked by it again reaches the relay. */
  refuse(method: string): Promise<void>;
}

/** The owner's page, where the first call of each of these methods waits for this test. */
async function openHeldPage(methods: readonly string[]): Promise<HeldPage> {
  const page = await world.openStrangersPage();
  const refusals = new Map<string, () => void>();
  await page.routeWebSocket(/\/ws$/u, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { id, method = '' } = JSON.parse(String(text)) as { readonly id?: number; readonly method?: string };
      if (!methods.includes(method) || refusals.has(method)) return server.send(text);
      const error = { code: -32_000, message: 'The disk is full', data: { code: 'overloaded', message: 'The disk is full' } };
      refusals.set(method, () => socket.send(JSON.stringify({ jsonrpc: '2.0', id, error })));
    });
  });
  await page.goto(await world.relay.createLoginLink());
  await page.getByRole('status').getByText('live').waitFor();
  return { page, refuse: async (method) => (await until(`${method} on its way`, () => refusals.get(method)))() };
}

test.skipIf(!hasBrowser)(
  'an answer counts as given at once, and is taken back with the reason where the relay does not take it',
  async () => {
    const { owner } = world;
    await owner.sessions.start({ provider: 'asker', name: 'Careful', approval: 'guarded' });
    const { page, refuse } = await openHeldPage(['approvals/resolve']);
    await page.goto('/approvals');
    const card = page.locator(`[data-approval-id="${await ask('Careful', 'drop')}"]`);
    await card.getByRole('button', { name: 'Allow' }).first().click();
    await card.getByText('You said: Allow once').waitFor();
    expect(await card.getByRole('button').count()).toBe(0);
    await refuse('approvals/resolve');
    await card.getByRole('alert').getByText('The disk is full').waitFor();
    expect(node.done).not.toContain('Bash: dropdb live');
    await card.getByRole('button', { name: /^Deny/u }).click();
    await page.keyboard.press('Enter');
    await card.getByText('denied by owner').waitFor();
  },
);

test.skipIf(!hasBrowser)(
  'what is claimed, taken back, deleted and ended counts at once, and is as it was, with the reason, where the relay does not take it',
  async () => {
    const { owner, ops } = world;
    await owner.agents.register({ name: 'Boss' });
    const { id } = await owner.messages.send({ from: 'Boss', to: 'owner', body: 'Rotate the logs', claimable: true });
    const { task } = await ops.integrations.report({ title: 'Disk full', target: 'Boss' });
    const { page, refuse } = await openHeldPage(['messages/claim', 'claims/release', 'messages/remove', 'tasks/status']);
    await page.goto('/messages');
    const row = page.locator(`[data-message-id="${id}"]`);
    const claim = row.getByRole('button', { name: `Claim message ${id}` });
    await claim.click();
    await row.getByText('claimed by owner').waitFor();
    await refuse('messages/claim');
    await row.getByRole('alert').getByText('The disk is full').waitFor();
    await row.getByText('open work').waitFor();
    await claim.click();
    await row.getByText('claimed by owner').waitFor();
    await until('the claim', async () => (await owner.messages.get({ id })).claim?.status === 'held');

    const offer = await owner.messages.send({ to: 'Boss', body: 'Sweep the yard', claimable: true });
    await owner.messages.claim({ id: offer.id, agentId: 'Boss' });
    const offered = page.locator(`[data-message-id="${offer.id}"]`);
    await offered.getByRole('button', { name: `Take back message ${offer.id} from Boss` }).click();
    await offered.getByLabel('Reason').fill('It rains');
    await offered.getByRole('button', { name: 'Take back' }).click();
    await offered.getByText('open work').waitFor();
    expect((await owner.messages.get({ id: offer.id })).claim?.status).toBe('held');
    await refuse('claims/release');
    await offered.getByRole('alert').getByText('The disk is full').waitFor();
    await offered.getByText('claimed by Boss').waitFor();
    expect(await offered.getByLabel('Reason').inputValue()).toBe('It rains');
    await offered.getByRole('button', { name: 'Take back' }).click();
    await until('that it is taken back', async () => (await owner.messages.get({ id: offer.id })).claim?.status === 'released');
    await offered.getByText('open work').waitFor();

    await row.getByRole('button', { name: `Delete message ${id}` }).click();
    await row.getByRole('button', { name: `Delete the words of message ${id}` }).click();
    await row.getByText('deleted', { exact: true }).waitFor();
    expect((await owner.messages.get({ id })).deletedAt).toBeNull();
    await refuse('messages/remove');
    await row.getByRole('alert').getByText('The disk is full').waitFor();
    await row.getByText('Rotate the logs').waitFor();

    await page.goto(`/tasks/${task?.id}`);
    const detail = page.getByRole('complementary', { name: `Task ${task?.id}` });
    await detail.getByRole('button', { name: 'Failed' }).click();
    await detail.getByRole('textbox').fill('No disk to be had');
    await detail.getByRole('button', { name: 'End as failed' }).click();
    await detail.locator('[data-task-status="failed"]').waitFor();
    await refuse('tasks/status');
    await detail.getByRole('alert').getByText('The disk is full').waitFor();
    await detail.locator('[data-task-status="open"]').waitFor();
    // What was written is there still.
    expect(await detail.getByRole('textbox').inputValue()).toBe('No disk to be had');
    await detail.getByRole('button', { name: 'End as failed' }).click();
    await until('the end', async () => (await owner.tasks.get({ id: task?.id ?? 0 })).status === 'failed');
    await detail.locator('[data-task-status="failed"]').first().waitFor();
  },
);
