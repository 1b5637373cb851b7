import type { LiveEvent } from 'agent-relay-provider';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

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
