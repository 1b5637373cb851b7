import type { AgentEvent } from 'agent-relay-client';
import type { CDPSession, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startAskingNode } from './asking-node.ts';
import { type DashboardWorld, openDashboard, workOf } from './support.ts';

/** With 100,000 it is a measurement, which says what it found. */
const EVENTS = Number(process.env['AGENT_RELAY_TEST_ACTIVITY_EVENTS'] ?? 3_000);
const BATCH = 1_000;
const PAGE = 1_000;
/** Far enough that some rows are new in each frame, and more where there are very many. */
const WHEEL_PX = Math.max(3_000, EVENTS / 4);

/** One turn of twelve events, as vendors tell it. */
const turn = (number: number): readonly AgentEvent[] => {
  const turnId = `t${number}`;
  const call = (index: number): readonly AgentEvent[] => {
    const item = { turnId, itemId: `${turnId}-c${index}` };
    const title = `npm test -- part ${number}.${index}`;
    return [
      { type: 'tool.started', ...item, name: 'Bash', kind: 'execute', title, input: { command: title } },
      { type: 'tool.completed', ...item, outcome: 'succeeded', output: `ok ${number}.${index}\n`.repeat(40) },
    ];
  };
  const words = `**Step ${number}** is done:\n\n- the first part\n- the second\n\n\`\`\`ts\nconst step = ${number};\n\`\`\``;
  return [
    { type: 'turn.started', turnId },
    { type: 'user.message', turnId, text: `Please take step ${number}` },
    {
      type: 'reasoning.completed',
      turnId,
      itemId: `${turnId}-r`,
      text: `Step ${number} comes after ${number - 1}. ${'So it is. '.repeat(20)}`,
    },
    ...[1, 2, 3].flatMap(call),
    { type: 'file.changed', turnId, changes: [{ path: `/srv/step-${number}.ts`, change: 'updated', diff: '@@ -1 +1 @@\n-a\n+b\n' }] },
    { type: 'text.completed', turnId, itemId: `${turnId}-x`, text: words },
    { type: 'turn.completed', turnId, outcome: 'finished', durationMs: 1_000 },
  ];
};

/** Puts so many events into what an agent did, as its machine's would be stored. */
async function fill({ relay, owner }: DashboardWorld, agentId: string): Promise<void> {
  const { activity } = relay.relay.core.store;
  const { sessionId } = await until('its session', async () => (await owner.sessions.list({ agent: agentId })).data[0]);
  await until('what its machine tells at the start', async () => (await activity.lastSeq('default', sessionId)) >= 2);
  const events = Array.from({ length: Math.ceil(EVENTS / 12) }, (_, index) => turn(index + 1)).flat();
  const first = (await activity.lastSeq('default', sessionId)) + 1;
  for (let from = 0; from < events.length; from += BATCH) {
    const entries = events.slice(from, from + BATCH).map((event, index) => ({ seq: first + from + index, at: Date.now(), event }));
    const change = { workspace: 'default', agentId, sessionId, late: false, now: Date.now() };
    await activity.append({ ...change, entries }, () => []);
  }
  await until('all of it in the index', async () => (await owner.search.find({ text: 'nothing' })).behind === 0, 120_000);
}

interface Frames {
  /** How long each took to come. */
  readonly gapsMs: readonly number[];
  /** How long the page's own thread was at work, whatever else the machine did. */
  readonly workMs: number;
}

async function framesOf(page: Page, inspector: CDPSession, act: () => Promise<void>): Promise<Frames> {
  await page.evaluate(`{
    const gaps = (globalThis.gaps_ = []);
    let last = performance.now();
    const onFrame = (now) => {
      if (globalThis.gaps_ !== gaps) return;
      gaps.push(now - last);
      last = now;
      requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
  }`);
  const worked = await workOf(inspector);
  await act();
  const workMs = await worked();
  return { gapsMs: await page.evaluate<readonly number[]>('globalThis.gaps_.splice(0)'), workMs };
}

const at = (share: number, values: readonly number[]): number =>
  Math.round(values.toSorted((one, other) => one - other)[Math.floor(share * (values.length - 1))] ?? 0);

const told = ({ gapsMs, workMs }: Frames) => ({
  ...{ median: at(0.5, gapsMs), p99: at(0.99, gapsMs), longest: at(1, gapsMs) },
  ...{ over100: gapsMs.filter((gap) => gap > 100).length, of: gapsMs.length, workMs: Math.round(workMs) },
});

test.skipIf(!hasBrowser)(
  'what an agent did is scrolled from its end to its beginning and back, and opened in its middle, however long it is',
  { timeout: 120_000 + 5 * EVENTS },
  async () => {
    await using world = await openDashboard();
    const { owner } = world;
    await using _node = await startAskingNode(world.relay, {});
    await owner.sessions.start({ provider: 'asker', name: 'Worker' });
    await fill(world, 'Worker');
    const page = await world.openPage('/');
    let reads = 0;
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        if (String(payload).includes('"agents/activity"')) reads += 1;
      }),
    );
    const log = page.getByRole('log', { name: 'Activity' });
    const rows = log.getByRole('listitem');
    const places = () => log.evaluate((list) => ({ top: list.scrollTop, rest: list.scrollHeight - list.scrollTop - list.clientHeight }));
    const last = Math.ceil(EVENTS / 12);
    await page.goto('/agents/Worker');
    await log.getByText(`Step ${last} is done`).waitFor();
    await until('the end', async () => (await places()).rest <= 1);
    const wheel = (stepPx: number, isThere: () => Promise<boolean>) => async () => {
      while (!(await isThere())) for (let turns = 0; turns < 4; turns += 1) await page.mouse.wheel(0, stepPx);
    };
    const inspector = await page.context().newCDPSession(page);
    await log.hover();
    const up = await framesOf(
      page,
      inspector,
      wheel(-WHEEL_PX, async () => (await log.getByText('That is where it began.').count()) > 0 && (await places()).top < 1),
    );
    await log.getByText('Please take step 1', { exact: true }).waitFor();
    expect(await rows.count()).toBeLessThan(120);
    // A page carries so many entries, and only so much text.
    const readsToBeginning = reads;
    expect(readsToBeginning).toBeGreaterThanOrEqual(EVENTS / PAGE);
    const down = await framesOf(
      page,
      inspector,
      wheel(WHEEL_PX, async () => (await places()).rest < 1),
    );
    await log.getByText(`Step ${last} is done`).waitFor();
    const rowCount = Number(await rows.first().getAttribute('aria-setsize'));
    await keepScreenshot(page, 'dashboard-long-activity');
    await inspector.send('HeapProfiler.collectGarbage');
    const heapMb = Math.round((await inspector.send('Runtime.getHeapUsage')).usedSize / 1e6);

    // A moment far back is read around itself, not from the end.
    const middle = Math.round(last / 2);
    const { data } = await owner.search.find({ text: `"take step ${middle}"`, type: 'user.message' });
    const [hit] = data;
    if (hit?.in !== 'activity') throw new Error('what it was asked is found');
    reads = 0;
    const openedAt = Date.now();
    await page.goto(`/agents/Worker?session=${hit.sessionId}&entry=${hit.id}`);
    await log.getByText(`Please take step ${middle}`, { exact: true }).waitFor();
    const jumpMs = Date.now() - openedAt;
    console.info('activity', {
      events: EVENTS,
      rows: rowCount,
      up: told(up),
      down: told(down),
      heapMb,
      readsToBeginning,
      jumpMs,
    });
    // It, what went before, what comes after; a page more at either end where that is near.
    expect(reads).toBeLessThanOrEqual(4);
    // From there it goes on to what it does now.
    await wheel(WHEEL_PX, async () => (await log.getByText(`Step ${last} is done`).count()) > 0)();
    // A time leads to what was done then, on a phone from whatever pane is open.
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('button', { name: 'Messages' }).click();
    await log.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Go to a time' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Time').fill('2001-01-01T00:00');
    await dialog.getByRole('button', { name: 'Go there' }).click();
    await log.getByText(/^Session started/u).waitFor();
  },
);
