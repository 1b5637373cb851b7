import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type AskingNode, startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard, violationsOf } from './support.ts';

// One relay, which asks everybody for a token, one machine and one browser.
let world: DashboardWorld;
let node: AskingNode;
beforeAll(async () => {
  if (!hasBrowser) return;
  world = await openDashboard({ AGENT_RELAY_REQUIRE_TOKEN: '1' });
  node = await startAskingNode(world.relay, {
    deploy: { kind: 'execute', title: 'Bash: make deploy', input: { command: 'make deploy' } },
  });
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

test.skipIf(!hasBrowser)('the first commands work as they stand with the token that is put in, and are ticked off as they do', async () => {
  await using fresh = await openDashboard({ AGENT_RELAY_REQUIRE_TOKEN: '1' });
  const page = await fresh.openPage('/');
  const steps = page.getByRole('region', { name: 'Get going' });
  await steps.getByRole('button', { name: 'Put in a fresh token' }).click();
  const command = await steps.getByText(/^curl.*Bearer \S+'/u).innerText();
  await keepScreenshot(page, 'dashboard-first-run');
  const { stdout } = await promisify(execFile)('sh', ['-c', command]);
  expect(JSON.parse(stdout)).toMatchObject({ body: 'Hello' });
  await steps.getByRole('listitem').filter({ hasText: 'Say something' }).getByText('(done)').waitFor();
  await using _machine = await startAskingNode(fresh.relay, {});
  await steps.getByRole('listitem').filter({ hasText: 'Lend a machine' }).getByText('(done)').waitFor();
  // Who has begun sees the rest of the way.
  await fresh.owner.agents.register({ name: 'Lead', provider: 'claude' });
  await steps.getByRole('listitem').filter({ hasText: 'Claude Code' }).getByText('(done)').waitFor();
  await steps.getByRole('button', { name: 'Done' }).click();
  await steps.waitFor({ state: 'detached' });
});

test.skipIf(!hasBrowser)(
  'without a token they work on a machine that the relay lets in, and another machine is lent by its code',
  async () => {
    await using open = await openDashboard();
    const page = await open.openPage('/');
    const steps = page.getByRole('region', { name: 'Get going' });
    // As a page has it that is reached without TLS: none.
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await steps.getByRole('button', { name: 'Copy the command' }).last().click();
    await steps.getByText('does not let this page copy').waitFor();
    const { stdout } = await promisify(execFile)('sh', ['-c', await steps.getByText(/^curl/u).innerText()]);
    expect(JSON.parse(stdout)).toMatchObject({ from: 'you', body: 'Hello' });
    await steps.getByRole('listitem').filter({ hasText: 'Say something' }).getByText('(done)').waitFor();

    const home = await mkdtemp(join(tmpdir(), 'first-steps-'));
    const env = { ...process.env, HOME: home, XDG_STATE_HOME: join(home, 'state'), XDG_CONFIG_HOME: join(home, 'config') };
    const connect = await steps.getByText(/^npx agent-relay-connect pair/u).innerText();
    const machine = spawn('sh', ['-c', connect], { cwd: join(import.meta.dirname, '../..'), env, stdio: 'ignore', detached: true });
    try {
      await until('a machine that asks to be let in', async () => (await open.owner.nodes.pairings({})).data.length === 1, 60_000);
      const [asking] = (await open.owner.nodes.pairings({})).data;
      await open.owner.nodes.pair({ code: asking?.code ?? '' });
      await steps.getByRole('listitem').filter({ hasText: 'Lend a machine' }).getByText('(done)').waitFor({ timeout: 60_000 });
    } finally {
      const ended = once(machine, 'exit');
      if (machine.exitCode === null && machine.signalCode === null) {
        process.kill(-(machine.pid ?? 0), 'SIGTERM');
        await ended;
      }
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    }
  },
);

/** Presses Tab until something has the focus, as somebody without a pointer does. */
async function tabTo(page: Page, wanted: Locator, limit = 60): Promise<void> {
  for (let presses = 0; presses < limit; presses += 1) {
    if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${String(wanted)} is not reached by Tab`);
}

test.skipIf(!hasBrowser).each([1400, 390])(
  'in a window of %i px an agent is started, written to, allowed something, its task ended and its words found without a pointer, by what a screen reader is told',
  async (width) => {
    const { owner, ops } = world;
    const walker = `Walker-${width}`;
    const done = node.done.length;
    const page = await world.openPage('/');
    await page.setViewportSize({ width, height: 844 });
    /** What axe finds wrong where the walk stands. */
    const expectSound = async (where: string) => {
      expect([where, await violationsOf(page, 'all')]).toEqual([where, []]);
    };
    const go = async (words: string, name: RegExp) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Go to' }).waitFor();
      await page.keyboard.type(words);
      const option = page.getByRole('option', { name });
      await option.waitFor();
      while ((await option.getAttribute('aria-selected')) !== 'true') await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
    };
    await go('Fleet', /^Fleet/u);
    await page.waitForURL('**/fleet');
    // What the relay would refuse is not offered: this machine is the owner's own.
    await page.locator('[data-node-id="local"]').getByText('Named and stopped on the machine itself').waitFor();
    expect(
      await page
        .locator('[data-node-id="local"]')
        .getByRole('button', { name: /^(?:Rename|Remove)/u })
        .count(),
    ).toBe(0);
    await tabTo(page, page.getByRole('button', { name: 'New agent' }));
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').waitFor();
    await tabTo(page, dialog.getByLabel('Name'));
    await page.keyboard.type(walker);
    await expectSound('the form of a new agent');
    await tabTo(page, dialog.getByLabel('When a message comes'));
    await page.keyboard.type('it asks you first');
    await tabTo(page, dialog.getByRole('button', { name: 'Start' }));
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/agents/${walker}`);

    await tabTo(page, page.getByLabel('Message', { exact: true }));
    await page.keyboard.type(`Please deploy the marzipan${width}`);
    await page.keyboard.press('Enter');
    const allow = page.getByRole('region', { name: `What ${walker} asks` }).getByRole('button', { name: /^Allow/u });
    await allow.waitFor();
    await until('a question that takes an answer', () => allow.isEnabled());
    await expectSound('a question');
    await tabTo(page, allow);
    await page.keyboard.press('Enter');
    await allow.waitFor({ state: 'detached' });
    await until('the deed', () => node.done.length > done);

    const { task } = await ops.integrations.report({ title: `Sweep the kitchen ${width}`, target: walker });
    await go('Sweep', /^Tasks that say/u);
    await tabTo(page, page.getByRole('link', { name: new RegExp(`Sweep the kitchen ${width}`, 'u') }));
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/tasks/${task?.id}?**`);
    await tabTo(page, page.getByRole('button', { name: 'Cancel', exact: true }));
    await page.keyboard.press('Enter');
    await expectSound('a task that is ended');
    await tabTo(page, page.getByRole('button', { name: 'End as canceled' }));
    await page.keyboard.press('Enter');
    await until('its end', async () => (await owner.tasks.get({ id: task?.id ?? 0 })).status === 'canceled');

    await go(`marzipan${width}`, /^Search for/u);
    await page.getByRole('region', { name: 'Found' }).getByText('1 found').waitFor();
    await tabTo(page, page.locator('[data-hit="messages"]').getByRole('link', { name: /marzipan/u }));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/messages\/\d+$/u);
    await expectSound('what was found');
  },
);
