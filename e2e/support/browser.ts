import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findHeadlessShell } from '../../scripts/chromium.mjs';

const chromiumPath = process.env['AGENT_RELAY_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** Without a browser the tests that look at pages are skipped, by name; in CI that is a failure. */
export const hasBrowser: boolean = existsSync(chromiumPath);
const screenshotFolder = fileURLToPath(new URL('../.cache/screenshots/', import.meta.url));

/** What one test opens in the browser: each context is as a browser of its own that was started new. */
export interface TestBrowser {
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A page in a context of its own. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
  /** Closes its contexts. */
  close(): Promise<void>;
}

/** The whole Chromium, or where the machine has it the one without a window, which lets no page show notifications. */
export type BrowserKind = 'headless' | 'whole';

/** Opens contexts in the one browser of its kind in this process, which ends with it: to start one for each test took as long as some of the tests. */
export async function startBrowser(kind: BrowserKind = 'headless'): Promise<TestBrowser> {
  const browser = await sharedBrowser((kind === 'headless' ? findHeadlessShell() : undefined) ?? chromiumPath);
  const contexts: BrowserContext[] = [];
  const newContext = async (options?: BrowserContextOptions) => {
    const context = await browser.newContext(options);
    // As long as `until` waits.
    context.setDefaultTimeout(60_000);
    contexts.push(context);
    return context;
  };
  return {
    newContext,
    newPage: async (options) => (await newContext(options)).newPage(),
    close: async () => void (await Promise.all(contexts.map((context) => context.close()))),
  };
}

const running = new Map<string, Promise<Browser>>();

function sharedBrowser(executablePath: string): Promise<Browser> {
  const known = running.get(executablePath);
  if (known) return known;
  const started = launch(executablePath).then((browser) => {
    browser.once('disconnected', () => running.delete(executablePath));
    return browser;
  });
  running.set(executablePath, started);
  return started;
}

/** Debian's Chromium, offline. */
const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** Keeps a picture of what a person sees, in `e2e/.cache/screenshots`: as the browser has drawn it, for half of what Playwright's own picture costs. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  const inspector = await page.context().newCDPSession(page);
  const { data } = await inspector.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: true });
  await inspector.detach();
  await writeFile(`${screenshotFolder}${name}.png`, data, 'base64');
}
