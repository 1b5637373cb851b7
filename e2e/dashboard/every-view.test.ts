import { writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { cutChoices, type DashboardWorld, openDashboard, violationsOf } from './support.ts';

const views = [
  '/',
  '/messages',
  '/agents/Worker',
  '/messages/1',
  '/approvals',
  '/rules',
  '/holds',
  '/tasks',
  '/pairs',
  '/channels',
  '/callbacks',
  '/fleet',
  '/reservations',
  '/search?text=plan',
  '/events',
  '/graph',
  '/usage',
  '/hooks',
  '/audit',
  '/settings',
  '/tokens',
];
const widths = [390, 820, 1400] as const;
const longWord = 'W'.repeat(220);

/** Whether something is cut off at the right, or has to be moved to be read; what scrolls on purpose is left out. */
const tooWide = `[document.documentElement, ...document.querySelectorAll('#root *')].some((one) =>
  one.scrollWidth > one.clientWidth + 1 && (one === document.documentElement || getComputedStyle(one).overflowX === 'auto')
  && !one.matches('nav, pre, table, [data-scrolls]'))`;

/** A relay with something on every page, long words among it. */
async function fill({ relay, owner, ops }: DashboardWorld): Promise<readonly string[]> {
  writeFileSync(
    `${relay.databasePath}.hooks.yaml`,
    'hooks: { "*": { on_spawned: [{ command: echo hello }] }, relay: { on_stalled: [{ relay: Lead }] } }',
    {
      mode: 0o600,
    },
  );
  await owner.agents.register({ name: 'Lead', status: 'idle', tags: ['core'], provider: 'claude' });
  await owner.agents.register({ name: 'Reviewer', status: 'busy', capabilities: ['review'] });
  await owner.agents.register({ name: `Agent-${'x'.repeat(100)}`, status: 'idle' });
  await owner.channel({ name: 'bridge', transport: 'custom' });
  const first = await owner.messages.send({
    to: 'Lead',
    body: `# Plan\n\n- \`one\`\n- [two](https://example.org/two)\n\n${longWord}`,
    subject: 'The plan',
  });
  await owner.messages.send({ replyTo: first.id, from: 'Lead', body: 'Seen', channel: 'deploy' });
  await owner.messages.send({ from: 'Lead', to: 'tag:core', body: longWord, claimable: true });
  await owner.pairs.request({ from: 'Lead', target: 'Reviewer', objective: longWord });
  const { task } = await ops.integrations.report({
    title: longWord,
    body: longWord,
    target: 'Lead',
    severity: 'critical',
    metadata: { [longWord.slice(0, 60)]: longWord },
  });
  await ops.integrations.report({ title: 'Disk full', target: 'tag:core' });
  for (const agentId of ['Lead', 'Reviewer'])
    await owner.reservations.create({ agentId, folder: `/srv/${longWord}`, patterns: ['src/', '**/*.ts'], note: longWord.slice(0, 200) });
  return [`/messages/${first.id}`, `/tasks/${task?.id}`];
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.getByRole('main').first().waitFor();
  const onItsWay = page.getByText(/^(?:Loading|Reading|Asking the machines)…$/u);
  await until(`all of ${path}`, async () => (await onItsWay.count()) === 0);
}

/** One view, loaded once: what is wrong with it at each width, in both themes. */
async function faultsOf(page: Page, path: string): Promise<readonly string[]> {
  const found: string[] = [];
  await open(page, path);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 844 });
    found.push(...(await faultsAt(page, path, width)));
  }
  return found;
}

/** What is wrong with what is shown now, in both themes. */
async function faultsAt(page: Page, shown: string, width: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.getByText('live', { exact: true }).first().waitFor();
    const name = `${shown} at ${width}, ${colorScheme}`;
    if (await page.evaluate<boolean>(tooWide)) found.push(`${name}: it is wider than the window`);
    for (const field of await cutChoices(page)) found.push(`${name}: a choice of ${field} is cut off`);
    await keepScreenshot(page, `view${shown.replaceAll(/[^\w-]/gu, '-')}-${width}-${colorScheme}`);
    const violations = await violationsOf(page, colorScheme === 'light' ? 'all' : 'colours');
    found.push(...violations.map((violation) => `${name}: ${violation}`));
  }
  return found;
}

type Opening = (page: Page) => Promise<void>;
const press =
  (...names: readonly (string | RegExp)[]): Opening =>
  async (page) => {
    for (const name of names) await page.getByRole('button', { name }).first().click();
  };
const dialogOf =
  (name: string | RegExp): Opening =>
  async (page) => {
    await press(name)(page);
    await page.getByRole('dialog').waitFor();
  };

/** What a view shows once something on it was pressed: panes that a phone shows one of, forms, questions, what was folded. */
const opened: readonly (readonly [path: string, what: string, open: Opening])[] = [
  ['/messages', 'agents', press('Agents')],
  ['/messages', 'new agent', (page) => press('Agents')(page).then(() => dialogOf('New agent')(page))],
  ['/messages', 'answer', press(/^Answer message/u)],
  ['/messages', 'delete', press(/^Delete message/u)],
  ['/messages', 'save view', (page) => page.goto('/messages?from=Lead').then(() => dialogOf('Save view')(page))],
  ['/agents/Worker', 'activity', press('Activity')],
  ['/agents/Worker', 'edit', dialogOf('Edit')],
  ['/agents/Worker', 'share', dialogOf('Share')],
  ['/approvals', 'deny', press(/^Deny/u)],
  ['/rules', 'new rule', dialogOf('New rule')],
  ['/tokens', 'new token', dialogOf('New token')],
  ['/channels/bridge', 'bind', async () => {}],
  ['/reservations', 'take away', press(/^Take away reservation/u)],
  ['/', 'palette', (page) => page.keyboard.press('Control+k').then(() => page.getByRole('combobox', { name: 'Go to' }).waitFor())],
];

// One relay, one machine and one browser, and something on every page.
let world: DashboardWorld;
let node: AskingNode;
let paths: readonly string[] = [];
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard();
  paths = await fill(world);
  node = await startAskingNode(world.relay, {
    deploy: { kind: 'execute', title: 'make deploy', input: { command: 'make deploy' } },
  });
  await world.owner.sessions.start({ provider: 'asker', name: 'Worker' });
  node.tell({ type: 'turn.started', turnId: 't' });
  node.tell({ type: 'reasoning.completed', turnId: 't', itemId: 'r', text: 'Let me see.' });
  node.tell({ type: 'text.completed', turnId: 't', itemId: 'x', text: `**Done**, see [the log](https://example.org) ${longWord}` });
  node.tell({
    type: 'file.changed',
    turnId: 't',
    changes: [{ path: `/srv/${longWord}`, change: 'updated', diff: '@@ -1 +1 @@\n-a\n+b\n' }],
  });
  const usage = { inputTokens: 120_000, outputTokens: 4_000, cachedInputTokens: 60_000, costUsd: 0.5 };
  node.tell({ type: 'turn.completed', turnId: 't', outcome: 'finished', usage });
  await world.owner.messages.send({ to: 'Worker', body: 'Please deploy' });
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

// Half a minute where nothing else runs, and five times that on a machine that is as busy as can be.
test.skipIf(!hasBrowser)(
  'every view fits every width in both themes, and axe finds nothing wrong with it',
  { timeout: 600_000 },
  async () => {
    const page = await world.openPage('/');
    const found: string[] = [];
    for (const path of [...views, ...paths]) found.push(...(await faultsOf(page, path)));
    expect(found).toEqual([]);
  },
);

test.skipIf(!hasBrowser)(
  'what opens on a view fits a phone in both themes, and axe finds nothing wrong with it',
  { timeout: 600_000 },
  async () => {
    const page = await world.openPage('/');
    await page.setViewportSize({ width: 390, height: 844 });
    const found: string[] = [];
    for (const [path, what, opening] of opened) {
      await open(page, path);
      await opening(page);
      found.push(...(await faultsAt(page, `${path} ${what}`, 390)));
    }
    expect(found).toEqual([]);
  },
);
