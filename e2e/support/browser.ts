import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

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

/** Opens contexts in the one Chromium of this process, which ends with it: to start one for each test took as long as some of the tests. */
export async function startBrowser(): Promise<TestBrowser> {
  const browser = await sharedBrowser();
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

let running: Promise<Browser> | undefined;

function sharedBrowser(): Promise<Browser> {
  running ??= launch().then((browser) => {
    browser.once('disconnected', () => {
      running = undefined;
    });
    return browser;
  });
  return running;
}

/** Debian's Chromium, offline. */
const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath,
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

/** Keeps a picture of what a person sees, in `e2e/.cache/screenshots`. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  await page.screenshot({ path: `${screenshotFolder}${name}.png` });
}
