import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard } from './support.ts';

/** Turns of two agents: of Lead on each of six days, the last of them today, of Worker on the first two. */
async function useTokens(world: DashboardWorld, node: AskingNode): Promise<void> {
  const start = async (name: string, model: string) => {
    await world.owner.sessions.start({ provider: 'asker', name, model });
    let turns = 0;
    return async () => {
      turns += 1;
      const usage = { inputTokens: 120_000 * turns, outputTokens: 4_000 * turns, cachedInputTokens: 60_000, costUsd: 0.5 * turns };
      node.tell({ type: 'turn.started', turnId: `${name} ${turns}` });
      node.tell({ type: 'turn.completed', turnId: `${name} ${turns}`, outcome: 'finished', usage });
      const counted = async () => (await world.owner.usage.list({ agent: name })).data.reduce((sum, day) => sum + day.turns, 0);
      await until('the turn', async () => (await counted()) === turns);
    };
  };
  world.passDays(-5);
  const worker = await start('Worker', 'small');
  await worker();
  world.passDays(1);
  await worker();
  world.passDays(-1);
  const lead = await start('Lead', 'large');
  await lead();
  for (let day = 1; day <= 5; day += 1) {
    world.passDays(1);
    await lead();
  }
}

const OWNERS_TOKEN = 'a-token-that-nobody-sees';
let written = 1_000_000;

function writeHooks({ relay }: DashboardWorld, text: string): void {
  const path = `${relay.databasePath}.hooks.yaml`;
  writeFileSync(path, text, { mode: 0o600 });
  // It is read anew where its time is another.
  written += 1;
  utimesSync(path, written, written);
}

const hooks = `
hooks:
  "*":
    on_spawned:
      - name: greet
        command: ["sh", "-c", "echo hello; exit 3"]
  relay:
    on_message_received:
      - { name: tell, relay: Lead }
`;

const DAY_MS = 86_400_000;
/** What the test takes at most; what is used is told by the day, so no day may end in it. */
const LONGEST_MS = 180_000;
const restOfDayMs = (): number => DAY_MS - (Date.now() % DAY_MS);

test.skipIf(!hasBrowser)(
  'what was used, what happens by itself, who did what and what is set are looked up',
  { timeout: 2 * LONGEST_MS },
  async () => {
    await until('a day that lasts long enough', () => restOfDayMs() > LONGEST_MS, LONGEST_MS + 1_000);
    await using world = await openDashboard({ RETENTION_DAYS: '7', AGENT_RELAY_TOKEN: OWNERS_TOKEN });
    await using node = await startAskingNode(world.relay, {});
    writeHooks(world, hooks);
    await useTokens(world, node);
    const page = await world.openPage('/');
    await page.getByRole('link', { name: '$3.00 today' }).click();
    await page.waitForURL(/\/usage\?agent=Lead$/u);
    await page.goto('/usage');
    await usage(page);
    await page.goto('/hooks');
    await hooksAreTried(page, world);
    await page.goto('/audit');
    await audit(page, world);
    await page.goto('/settings');
    await settings(page);
    await forAnObserver(world);
  },
);

/** Drawn by day, added up as was asked, and the address keeps what was asked. */
async function usage(page: Page): Promise<void> {
  const row = (name: string) => page.locator(`[data-usage="${name}"]`);
  await row('Lead').getByText('$10.50').waitFor();
  expect(await row('total').innerText()).toMatch(/8\s+2\.9M\s+480K\s+96K\s+\$12\.00/u);
  // Exactly one, which is drawn once the table is there.
  await page.locator('canvas').waitFor();
  await page.getByRole('combobox', { name: 'Broken down' }).selectOption('model');
  await row('small').getByText('$1.50').waitFor();
  await page.getByRole('combobox', { name: 'Agent' }).fill('Worker');
  await page.getByRole('combobox', { name: 'Agent' }).press('Enter');
  await row('large').waitFor({ state: 'detached' });
  expect([await row('total').innerText(), new URL(page.url()).search]).toEqual([
    expect.stringContaining('$1.50'),
    '?by=model&agent=Worker',
  ]);
  // The last day is pointed at with the others' costs gone: Worker had two days, five and four ago.
  await page.getByRole('combobox', { name: 'How far back' }).selectOption('7');
  // The drawing is another one once these days are read.
  await until('the cost of that day', async () => {
    const box = await page.locator('.u-over').boundingBox();
    const [x, y] = [(box?.x ?? 0) + (box?.width ?? 0) * (2.5 / 7), (box?.y ?? 0) + 20];
    await page.mouse.move(x - 2, y);
    await page.mouse.move(x, y);
    return (await page.getByText(/, \$1\.00$/u).count()) === 1;
  });
}

/** What is there, what came of it, the means to try one, and a fault of the file. */
async function hooksAreTried(page: Page, world: DashboardWorld): Promise<void> {
  const greet = page.locator('[data-hook="greet"]');
  await greet.getByText('failed, exit 3').waitFor();
  await page.getByRole('button', { name: 'Try it: greet' }).click();
  await page.getByRole('button', { name: 'Really does it, with an example: try' }).click();
  await greet.getByText('Tried: failed, exit 3').waitFor();
  await greet.getByRole('status').getByText('hello').waitFor();
  // The relay's own are told by the log.
  await world.owner.messages.send({ to: 'Worker', body: 'Hello' });
  await page.locator('[data-run="tell"]').getByText('done').waitFor();
  await ownHooksAreWritten(page, world);
  writeHooks(world, 'hooks: { relay: { on_moon: [] } }');
  await page.getByText('hooks.relay.on_moon: is nothing that happens').first().waitFor();
  await page.locator('[data-hook="tell"]').waitFor();
}

/** Those of the relay itself are written on the page; what its owner wrote stands as it did. */
async function ownHooksAreWritten(page: Page, { relay }: DashboardWorld): Promise<void> {
  const add = page.getByRole('button', { name: 'Add a hook' });
  expect((await add.boundingBox())?.width).toBeLessThan(200);
  await add.click();
  await page.getByLabel('When', { exact: true }).selectOption('task_failed');
  await page.getByLabel('Does', { exact: true }).selectOption('webhook');
  await page.getByLabel('Address').fill('https://ci.example/agents');
  await page.getByLabel('Called').fill('post');
  await page.keyboard.press('Enter');
  const secret = await page.locator('[data-token-secret]').innerText();
  await page.getByRole('button', { name: 'Done' }).click();
  const row = page.locator('[data-hook="post"]');
  await row.getByText('task failed').waitFor();
  await page.getByRole('button', { name: 'Change post' }).click();
  await page.getByLabel('Does', { exact: true }).selectOption('relay');
  await page.getByLabel('Whom').fill('#audit');
  await page.getByLabel('What it says').fill(`\${nobody} failed`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog').getByRole('alert').getByText('is nothing that on_task_failed says').waitFor();
  await page.getByLabel('What it says').fill(`\${title} failed`);
  await page.getByRole('button', { name: 'Save' }).click();
  await row.getByText('#audit').waitFor();
  const text = readFileSync(`${relay.databasePath}.hooks.yaml`, 'utf8');
  expect([text.includes('echo hello; exit 3'), text.includes(secret), text.includes('relay: "#audit"')]).toEqual([true, false, true]);
  await page.getByRole('button', { name: 'Remove post' }).click();
  await page.getByRole('button', { name: 'Take it out of the file' }).click();
  await row.waitFor({ state: 'detached' });
  await page.locator('[data-hook="tell"]').waitFor();
}

/** Who did what, as it comes; narrowed; and that nothing was changed in it. */
async function audit(page: Page, world: DashboardWorld): Promise<void> {
  const acts = (action: string) => page.locator(`[data-audit="${action}"]`);
  await acts('hooks/test').getByText('greet', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Check the chain' }).click();
  await page.getByText(/Sound: \d+ entries/u).waitFor();
  await world.owner.agents.release({ id: 'Worker' });
  await acts('agents/release').getByText('Worker', { exact: true }).waitFor();
  await page.getByRole('combobox', { name: 'Operation' }).fill('sessions/start');
  await acts('agents/release').waitFor({ state: 'detached' });
  // Nothing is shown while the narrowed list is read.
  await until('both starts', async () => (await acts('sessions/start').count()) === 2);
  await acts('sessions/start').first().locator('summary').press('Enter');
  await page.getByText('What it was about').click();
  await page.waitForURL(/\/agents\/Lead$/u);
}

/** What is in force and where it comes from, without the secret. */
async function settings(page: Page): Promise<void> {
  const row = (name: string) => page.locator(`[data-setting="${name}"]`);
  await row('RETENTION_DAYS').getByText('flag').waitFor();
  expect(await row('STALE_TTL_MS').innerText()).toMatch(/2592000000 \(30 d\)\s+flag/u);
  await row('AGENT_RELAY_TOKEN').getByText('set, and told to nobody').waitFor();
  expect(await page.content()).not.toContain(OWNERS_TOKEN);
  await page.getByRole('checkbox', { name: 'Only what was set' }).check();
  await row('REAP_INTERVAL_MS').waitFor({ state: 'detached' });
}

/** Who may only look is told that these pages are not for him, and is led to none of them. */
async function forAnObserver({ owner, openStrangersPage }: DashboardWorld): Promise<void> {
  const { token } = await owner.tokens.create({ name: 'looker', kind: 'observer' });
  const page = await openStrangersPage();
  await page.goto('/');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('status').getByText('live').waitFor();
  for (const [path, words] of [
    ['/audit', 'The audit is for the owner.'],
    ['/hooks', 'Hooks are for the owner.'],
    ['/settings', 'The settings are for the owner.'],
  ] as const) {
    await page.goto(path);
    await page.getByText(words).waitFor();
    expect([path, await page.getByRole('link', { name: /^(?:Audit|Who did what|Hooks)$/u }).count()]).toEqual([path, 0]);
  }
}
