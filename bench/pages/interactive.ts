/**
 * How long after somebody goes to the dashboard they can write there: from the start of the navigation until the box for a message is in the page and
 * may be written in, in Chromium, with nothing kept from before, signed in; beside a bare page with such a box from the same machine. In turns;
 * medians. Exits with 1 where the dashboard takes longer than a second. After a build.
 *
 *     node --conditions=agent-relay-source bench/pages/interactive.ts [--rounds 11] [--messages 500]
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { createRelayClient } from 'agent-relay-client';
import { startTestRelay } from 'agent-relay-server/testing';
import { startBrowser } from '../../e2e/support/browser.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' }, messages: { type: 'string', default: '500' } } });
const MOST_MS = 1_000;

const relay = await startTestRelay();
await using owner = createRelayClient({ url: relay.url, token: relay.ownerToken });
for (let index = 0; index < 20; index += 1) await owner.agents.register({ name: `Agent-${index}` });
for (let index = 0; index < Number(values.messages); index += 1)
  await owner.messages.send({ to: `Agent-${index % 20}`, body: `Message ${index}` });
const bare = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><title>bare</title><textarea name="body" aria-label="Message"></textarea>');
}).listen(0, '127.0.0.1');
await once(bare, 'listening');

const browser = await startBrowser('whole');
const first = await browser.newContext();
const signedIn = await first.newPage();
await signedIn.goto(await relay.createLoginLink());
await signedIn.getByRole('status').getByText('live').waitFor();
const storageState = await first.storageState();

/** Seen by the page itself: who looks from outside looks seldom. */
const watch = `new MutationObserver((_changes, observer) => {
  if (document.querySelector('textarea[name=body]:enabled') === null) return;
  window.usableAfterMs = performance.now();
  observer.disconnect();
}).observe(document, { subtree: true, childList: true, attributes: true });`;

/** In a context of its own: nothing is kept from the round before. */
async function usableAfter(address: string): Promise<number> {
  const context = await browser.newContext({ storageState, serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(address, { waitUntil: 'commit' });
  await page.locator('textarea[name=body]:enabled').waitFor();
  const ms = Number(await page.evaluate('window.usableAfterMs'));
  await context.close();
  return ms;
}

const median = (all: readonly number[]): number => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? Number.NaN;

const { port } = bare.address() as AddressInfo; // it listens on a port
const measured = [
  { name: 'a bare page', address: `http://127.0.0.1:${port}/`, all: [] as number[] },
  { name: 'the dashboard', address: `${relay.browserUrl}/messages`, all: [] as number[] },
];
// The first round is to warm the disk.
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const { address, all } of measured) {
    const ms = await usableAfter(address);
    if (round > 0) all.push(ms);
  }
}
await browser.close();
bare.close();
await relay.close();

const [bareMs = 0, dashboardMs = 0] = measured.map(({ all }) => median(all));
for (const { name, all } of measured)
  console.log(
    `${name.padEnd(14)} median ${median(all).toFixed(0).padStart(5)} ms, from ${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)}`,
  );
console.log(`the dashboard takes ${(dashboardMs / bareMs).toFixed(1)} times as long`);
process.exit(dashboardMs > MOST_MS ? 1 : 0);
