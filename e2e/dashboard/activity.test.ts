import type { LiveEvent } from 'agent-relay-provider';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard, violationsOf } from './support.ts';

// One relay, one machine and one browser: each test has an agent of its own.
let world: DashboardWorld;
let node: AskingNode;
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard();
  node = await startAskingNode(world.relay, {});
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const call = (itemId: string, title: string, parentItemId?: string): LiveEvent => ({
  type: 'tool.started',
  turnId: 't',
  itemId,
  name: parentItemId === undefined ? 'Agent' : 'Grep',
  kind: 'other',
  title,
  ...(parentItemId !== undefined && { parentItemId }),
});
const done = (itemId: string): LiveEvent => ({
  type: 'tool.completed',
  turnId: 't',
  itemId,
  outcome: 'succeeded',
  output: `found by ${itemId}`,
});

test.skipIf(!hasBrowser)('what a sub-agent did is folded with the call that started it, and is there for who looks for it', async () => {
  const { owner } = world;
  await owner.sessions.start({ provider: 'asker', name: 'Lead' });
  node.tell({ type: 'turn.started', turnId: 't' });
  for (const event of [call('scout', 'look around'), call('one', 'the lexer', 'scout'), call('two', 'the parser', 'scout')])
    node.tell(event);
  const page = await world.openPage('/agents/Lead');
  const activity = page.getByRole('log', { name: 'Activity' });
  const scout = activity.locator('[data-block="tool"]', { hasText: 'look around' });
  await scout.getByText('Grep · 2 steps').waitFor();
  expect(await activity.getByText('the parser').count()).toBe(0);
  for (const event of [done('one'), done('two'), done('scout')]) node.tell(event);
  await scout.getByText('2 steps', { exact: true }).waitFor();
  await scout.getByText('look around').click();
  const steps = scout.getByRole('list', { name: 'What its sub-agent did' });
  await steps.getByText('the parser').click();
  await steps.getByText('found by two').waitFor();
  expect(await steps.getByRole('listitem').count()).toBe(2);
  await keepScreenshot(page, 'dashboard-sub-agent');
  const wanted = await until('what was called', async () => {
    const { data } = await owner.agents.activity({ id: 'Lead' });
    return data.find(({ event }) => event.type === 'tool.started' && event.title === 'the parser')?.id;
  });
  const at = await world.openPage(`/agents/Lead?entry=${wanted}`);
  await at.getByRole('log', { name: 'Activity' }).getByText('the parser').waitFor();
});

const code = ['```ts', '// What it does', "export const answer = (n: number) => 'is ' + n;", '```'].join('\n');
const diff = '@@ -1,3 +1,3 @@\n /* Says\n-it: */ let a = 1;\n+it. */ const a = "two";\n return a;\n';

test.skipIf(!hasBrowser)(
  'a diff and the code of a message are in the colours of their language, read in both themes, by a script that comes with them',
  async () => {
    const { owner } = world;
    await owner.sessions.start({ provider: 'asker', name: 'Coder' });
    node.tell({ type: 'file.changed', turnId: 't', changes: [{ path: 'src/a.ts', change: 'updated', diff }] });
    const page = await world.openStrangersPage();
    const scripts: string[] = [];
    page.on('request', (request) => scripts.push(new URL(request.url()).pathname));
    await page.goto(await world.relay.createLoginLink());
    await page.getByRole('status').getByText('live').waitFor();
    await page.goto('/agents/Coder');
    const file = page.locator('[data-block="files"]');
    await file.waitFor();
    const isColoured = () => scripts.some((path) => /\/highlight-/u.test(path));
    expect(isColoured()).toBe(false);
    await file.getByText('src/a.ts').click();
    await file.locator('[data-diff] .text-code-keyword', { hasText: 'const' }).waitFor();
    expect(isColoured()).toBe(true);
    expect(await file.locator('[data-diff]').innerText()).toBe(diff.trimEnd());
    expect(await file.locator('.text-code-comment').allInnerTexts()).toEqual(['/* Says', 'it: */', 'it. */']);

    await owner.messages.send({ from: 'Coder', to: 'owner', body: `See:\n\n${code}` });
    await page.locator('[data-code="ts"] .text-code-keyword', { hasText: 'export' }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await keepScreenshot(page, `dashboard-code-${colorScheme}`);
      expect(await violationsOf(page, 'colours')).toEqual([]);
    }
  },
);
