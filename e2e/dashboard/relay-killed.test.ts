import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, tempHome } from 'agent-relay-testing';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser, startBrowser } from '../support/browser.ts';
import { startAgentRelay } from '../support/programs.ts';
import { until, untilGranted } from '../support/until.ts';

const COUNT = 60;

/** The numbers of the messages that stand on the page, in its order. */
const shownIds = (page: Page): Promise<number[]> =>
  page.locator('[data-message-id]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-message-id'))));

/** All of the feed, from its end to its beginning. */
async function wholeFeed(page: Page, first: number | undefined): Promise<readonly number[]> {
  const seen = new Set<number>();
  await until('the beginning of the feed', async () => {
    const ids = await shownIds(page);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    for (const id of ids) seen.add(id);
    await page.getByRole('log', { name: 'Messages' }).evaluate((log) => log.scrollBy(0, -400));
    return ids[0] === first;
  });
  return [...seen].toSorted((one, other) => one - other);
}

test.skipIf(!hasBrowser)('a relay that is killed in mid-stream, twice, leaves the page without a gap, a double or a reload', async () => {
  await using home = await tempHome();
  const port = await freePort();
  const start = () => startAgentRelay({ home, port, args: ['--no-local-node'] });
  let relay = await start();
  const browser = await startBrowser();
  try {
    const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
    await using client = createNodeRelayClient({ url: relay.url, token });
    await client.agents.register({ name: 'Worker' });
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(relay.loginLink);
    await page.getByRole('link', { name: 'Messages', exact: true }).click();
    await page.getByRole('status').getByText('live').waitFor();
    // A view whose script was on its way when the relay died says so, and asks to be loaded again.
    await page.getByLabel('Message', { exact: true }).waitFor();
    await page.evaluate(() => Reflect.set(globalThis, 'isTheSamePage', true));

    const kills = (async () => {
      for (const _ of [1, 2]) {
        await pause(700);
        await relay.end('SIGKILL');
        await pause(300);
        relay = await start();
      }
    })();
    const ids: number[] = [];
    for (let number = 1; number <= COUNT || (await Promise.race([kills.then(() => true), pause(0, false)])) === false; number += 1) {
      const message = { to: 'id:Worker', body: `message ${number}`, idempotencyKey: `n${number}` };
      ids.push((await untilGranted(`message ${number} to be taken`, () => client.messages.send(message))).id);
      await pause(30);
    }
    await kills;
    await page.getByRole('status').getByText('live').waitFor();
    // It still follows.
    await page.locator(`[data-message-id="${ids.at(-1)}"]`).waitFor();
    expect(await wholeFeed(page, ids[0])).toEqual(ids);
    expect(await page.evaluate(() => Reflect.get(globalThis, 'isTheSamePage'))).toBe(true);
  } finally {
    await browser.close();
    await relay.end();
  }
});
