import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const chromiumPath = process.env['AGENT_RELAY_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** Without a browser the tests that look at pages are skipped, by name; in CI that is a failure. */
export const hasBrowser: boolean = existsSync(chromiumPath);
const screenshotFolder = fileURLToPath(new URL('../.cache/screenshots/', import.meta.url));

/** Debian's Chromium, offline. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
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
}

/** Keeps a picture of what a person sees, in `e2e/.cache/screenshots`. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(screenshotFolder, { recursive: true });
  await page.screenshot({ path: `${screenshotFolder}${name}.png` });
}
