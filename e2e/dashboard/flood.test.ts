import type { WebSocketRoute } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { openDashboard, workOf } from './support.ts';

const PER_SECOND = 5_000;
/** A minute of it is a measurement, which says what it found. */
const SECONDS = Number(process.env['AGENT_RELAY_TEST_FLOOD_SECONDS'] ?? 4);
const BATCH_MS = 20;

interface Seen {
  /** How long each frame took to come. */
  readonly gapsMs: readonly number[];
  /** How old the newest message in sight was, whenever it was looked at. */
  readonly agesMs: readonly number[];
  readonly heapsMb: readonly number[];
}

/** Watches from within the page: frames, the newest message in sight, the heap. Each message says when it was sent. */
const watch = `{
  const seen = { gapsMs: [], agesMs: [], heapsMb: [] };
  let last = performance.now();
  const onFrame = (now) => {
    seen.gapsMs.push(now - last);
    last = now;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
  setInterval(() => {
    const rows = [...document.querySelectorAll('[role=log] li')];
    const sentAt = /Flood \\d+ at (\\d+)/u.exec(rows.at(-1)?.textContent ?? '')?.[1];
    if (sentAt) seen.agesMs.push(Date.now() - Number(sentAt));
  }, 100);
  setInterval(() => seen.heapsMb.push(performance.memory.usedJSHeapSize / 1e6), 1_000);
  globalThis.seen_ = seen;
}`;

const at = (share: number, values: readonly number[]): number =>
  Math.round(values.toSorted((one, other) => one - other)[Math.floor(share * (values.length - 1))] ?? 0);

test.skipIf(!hasBrowser)(
  '5,000 messages a second leave the page alive, its memory bounded and the newest in sight',
  { timeout: 120_000 + 3_000 * SECONDS },
  async () => {
    await using world = await openDashboard({}, 'whole');
    await world.owner.agents.register({ name: 'Worker' });
    const { message } = await world.owner.messages
      .send({ to: 'Worker', body: 'The first' })
      .then(async ({ id }) => ({ message: await world.owner.messages.get({ id }) }));
    const page = await world.openStrangersPage();
    const link: { socket: WebSocketRoute | null; subscriptionId: string } = { socket: null, subscriptionId: '' };
    await page.routeWebSocket(/\/ws$/u, (socket) => {
      const server = socket.connectToServer();
      link.socket = socket;
      server.onMessage((text) => {
        const { result } = JSON.parse(String(text)) as {
          readonly result?: { readonly subscriptionId?: string; readonly generation?: string };
        };
        if (result?.subscriptionId && result.generation) link.subscriptionId = result.subscriptionId;
        socket.send(text);
      });
    });
    await page.goto(await world.relay.createLoginLink());
    await page.getByRole('status').getByText('live').waitFor();
    await page.goto('/messages');
    await page.getByText('The first').waitFor();
    await until('the log is followed', async () => link.subscriptionId !== '');
    await page.evaluate(watch);
    const inspector = await page.context().newCDPSession(page);
    /** What is held on to, without what only waits to be collected. */
    const heap = async () => {
      await inspector.send('HeapProfiler.collectGarbage');
      return (await inspector.send('Runtime.getHeapUsage')).usedSize / 1e6;
    };
    const before = await heap();
    let id = message.id + 1_000;
    const startedAt = Date.now();
    for (let sent = 0; sent < PER_SECOND * SECONDS; ) {
      // As many as are due: a timer that comes late is made up for.
      const due = Math.min(PER_SECOND * SECONDS, Math.ceil(((Date.now() - startedAt + BATCH_MS) * PER_SECOND) / 1_000));
      const events = Array.from({ length: due - sent }, () => {
        id += 1;
        sent += 1;
        return {
          type: 'message.new',
          seq: id,
          at: Date.now(),
          message: { ...message, id, threadId: id, body: `Flood ${sent} at ${Date.now()}`, createdAt: Date.now() },
        };
      });
      link.socket?.send(JSON.stringify({ jsonrpc: '2.0', method: 'events/next', params: { subscriptionId: link.subscriptionId, events } }));
      await new Promise((resolve) => setTimeout(resolve, BATCH_MS));
    }
    const endedAt = Date.now();
    const worked = await workOf(inspector);
    await page.getByText(new RegExp(`^Flood ${PER_SECOND * SECONDS} at`, 'u')).waitFor();
    const [lateMs, lateWorkMs] = [Date.now() - endedAt, await worked()];
    const log = page.getByRole('log', { name: 'Messages' });
    const restPx = () => log.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
    await until('the end of the list', async () => (await restPx()) <= 1);
    const { gapsMs, agesMs, heapsMb } = await page.evaluate<Seen>('globalThis.seen_');
    const longestMs = Math.max(...gapsMs);
    const grownMb = (await heap()) - before;
    console.info('flood', {
      ...{
        seconds: SECONDS,
        perSecond: Math.round((PER_SECOND * SECONDS * 1_000) / (endedAt - startedAt)),
        lateMs,
        lateWorkMs: Math.round(lateWorkMs),
        longestMs: Math.round(longestMs),
      },
      frameMs: { median: at(0.5, gapsMs), p99: at(0.99, gapsMs), over100: gapsMs.filter((gap) => gap > 100).length, of: gapsMs.length },
      newestMs: { median: at(0.5, agesMs), p99: at(0.99, agesMs) },
      heapMb: { before: Math.round(before), grown: Math.round(grownMb), most: Math.round(Math.max(...heapsMb, 0)) },
    });
    // The machine that tests is shared: what the page itself had left to do is less than a second. A frame may take ten times what it takes on a quiet one.
    expect(lateWorkMs).toBeLessThan(1_000);
    expect(longestMs).toBeLessThan(1_500);
    expect(grownMb).toBeLessThan(30);
    expect(Number(await log.getByRole('listitem').first().getAttribute('aria-setsize'))).toBeLessThanOrEqual(500);
    // The relay has another end of its log than this page: all of it is read anew, and the reader is still at the end.
    await link.socket?.close();
    await page.getByText('The first').waitFor();
    for (let count = 1; count <= 40; count += 1) await world.owner.messages.send({ to: 'Worker', body: `After ${count}` });
    await log.getByText('After 40', { exact: true }).waitFor();
    await until('the end of the list', async () => (await restPx()) <= 1);
    expect(await log.getByRole('listitem').count()).toBeLessThan(80);
  },
);
