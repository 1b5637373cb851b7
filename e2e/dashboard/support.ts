import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRelayClient, type RelayClient } from 'agent-relay-client';
import { type Clock, startTestRelay, type TestRelay, type TestRelayOptions } from 'agent-relay-server/testing';
import axe from 'axe-core';
import type { BrowserContextOptions, CDPSession, Page } from 'playwright-core';
import { type BrowserKind, startBrowser, type TestBrowser } from '../support/browser.ts';

const INTEGRATION_TOKEN = 'ops-monitor-token';

export interface DashboardWorld extends AsyncDisposable {
  readonly relay: TestRelay;
  readonly owner: RelayClient;
  /** Reports as the integration `ops-monitor`, whose callbacks go to a listener of this test. */
  readonly ops: RelayClient;
  /** What that listener answers from now on. */
  answer(status: number): void;
  /** Turns the relay's clock on, callbacks that wait included. */
  passDays(days: number): void;
  /** A page of a browser that is signed in as the owner; it fails the test that left errors in its console. */
  openPage(path?: string): Promise<Page>;
  /** One that nobody has signed in. */
  openStrangersPage(): Promise<Page>;
  /** The owner's, where events of a type do not arrive: somebody who acts on what is no longer so. */
  openPageBehind(eventType: string, path: string): Promise<Page>;
}

/** A relay with its built dashboard, a listener for callbacks, and a browser. */
export async function openDashboard(more: TestRelayOptions['settings'] = {}, kind: BrowserKind = 'headless'): Promise<DashboardWorld> {
  let status = 204;
  const listener = createServer((_request, response) => {
    response.statusCode = status;
    response.end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo; // it listens on a port
  const integration = { name: 'ops-monitor', token: INTEGRATION_TOKEN, callbackUrl: `http://127.0.0.1:${port}/hook` };
  const clock = turnableClock();
  const relay = await startTestRelay({
    clock,
    settings: {
      AGENT_RELAY_INTEGRATIONS: JSON.stringify([integration]),
      AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '1',
      AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '100000',
      STALE_TTL_MS: String(30 * 86_400_000),
      ...more,
    },
  });
  const owner = createRelayClient({ url: relay.url, token: relay.ownerToken });
  const ops = createRelayClient({ url: relay.url, token: INTEGRATION_TOKEN });
  const browser = await startBrowser(kind);
  const errors: string[] = [];
  const openStrangersPage = () => newPage(browser, relay.browserUrl, errors);
  const ownersPage = async () => newPage(browser, relay.browserUrl, errors, await signedIn(relay));
  const show = async (page: Page, path: string) => {
    await page.goto(path);
    await page.getByRole('status').getByText('live').waitFor();
    return page;
  };
  return {
    relay,
    owner,
    ops,
    answer: (next) => {
      status = next;
    },
    passDays: (days) => clock.turn(days * 86_400_000),
    openStrangersPage,
    openPage: async (path = '/') => show(await ownersPage(), path),
    openPageBehind: async (eventType, path) => {
      const page = await ownersPage();
      await page.routeWebSocket(/\/ws$/u, (socket) => {
        const server = socket.connectToServer();
        server.onMessage((text) => String(text).includes(`"type":"${eventType}"`) || socket.send(text));
      });
      return show(page, path);
    },
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await owner.close();
      await ops.close();
      await relay.close();
      listener.closeAllConnections();
      listener.close();
      if (errors.length > 0) throw new Error(`A page had errors:\n${errors.join('\n')}`);
    },
  };
}

async function newPage(
  browser: TestBrowser,
  url: string,
  errors: string[],
  storageState: SignedIn = { cookies: [], origins: [] },
): Promise<Page> {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1400, height: 900 }, storageState });
  const page = await context.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  return page;
}

type SignedIn = Exclude<BrowserContextOptions['storageState'], string | undefined>;

/** What a browser keeps that has used a login link, without loading the dashboard once for that alone. */
async function signedIn({ url, browserUrl, createLoginLink }: TestRelay): Promise<SignedIn> {
  const response = await fetch(`${url}/api/login-codes/exchange`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: new URL(await createLoginLink()).hash.slice(1) }),
  });
  // The relay's own answer to this path.
  const { session, tokenId } = (await response.json()) as { readonly session: string; readonly tokenId: string };
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/u.exec(response.headers.getSetCookie()[0] ?? '') ?? [];
  const cookie = { name, value, domain: new URL(browserUrl).hostname, path: '/', expires: -1, httpOnly: true, secure: false } as const;
  const localStorage = [
    { name: 'agent-relay-session', value: session },
    { name: 'agent-relay-session-id', value: tokenId },
  ];
  return { cookies: [{ ...cookie, sameSite: 'Strict' }], origins: [{ origin: browserUrl, localStorage }] };
}

/** The system's time, which can be turned on: what waits for a later time is then late by that much. */
function turnableClock(): Clock & { turn(byMs: number): void } {
  let offsetMs = 0;
  const waiting = new Map<object, { readonly at: number; readonly task: () => void; timer: NodeJS.Timeout }>();
  const now = () => Date.now() + offsetMs;
  const arm = (key: object, at: number, task: () => void) => {
    const run = () => {
      waiting.delete(key);
      task();
    };
    // Node holds a timer for 24 days at most.
    const timer = setTimeout(run, Math.min(Math.max(0, at - now()), 2_000_000_000));
    timer.unref();
    waiting.set(key, { at, task, timer });
  };
  return {
    now,
    schedule: (task, delayMs) => {
      const key = {};
      arm(key, now() + delayMs, task);
      return () => {
        clearTimeout(waiting.get(key)?.timer);
        waiting.delete(key);
      };
    },
    turn: (byMs) => {
      offsetMs += byMs;
      for (const [key, { at, task, timer }] of [...waiting]) {
        clearTimeout(timer);
        arm(key, at, task);
      }
    },
  };
}

/** Begins to measure how long a page's own thread is at work, whatever else the machine does; what it answers tells the milliseconds so far. */
export async function workOf(inspector: CDPSession): Promise<() => Promise<number>> {
  await inspector.send('Performance.enable', { timeDomain: 'threadTicks' });
  const total = async () => {
    const { metrics } = await inspector.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  const before = await total();
  return async () => (await total()) - before;
}

/**
 * What a machine can say of how accessible a page is; empty when nothing is wrong. Between themes nothing but colours differs, so a second one is asked
 * about those alone: it is what takes long.
 */
export async function violationsOf(page: Page, rules: 'all' | 'colours'): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(axe.source);
  const asked = rules === 'all' ? '{}' : "{ runOnly: ['color-contrast'] }";
  // Told in the page: all that axe says of what is right is a megabyte, which took as long as to look for it.
  return page.evaluate<readonly string[]>(`axe.run(${asked}).then(({ violations }) =>
    violations.map(({ id, impact, nodes }) => \`\${id} (\${impact}): \${nodes[0]?.html.slice(0, 200)}\`))`);
}

/** The fields with choices of which one could not be read to its end. */
export const cutChoices = (page: Page): Promise<readonly string[]> =>
  page.evaluate<readonly string[]>(`[...document.querySelectorAll('select')].flatMap((field) => {
    const whole = field.cloneNode(true);
    whole.style.cssText = 'position:absolute;visibility:hidden;width:max-content;min-width:0';
    field.after(whole);
    const isCut = whole.offsetWidth > field.offsetWidth;
    whole.remove();
    return isCut ? [field.name || field.ariaLabel] : [];
  })`);
