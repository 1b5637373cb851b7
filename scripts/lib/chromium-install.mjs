// Chromium for the browser tests.
import { findChromium, findHeadlessShell } from '../chromium.mjs';
import { provide } from './debian-install.mjs';

export async function provideChromium() {
  const tests = 'the browser tests';
  const result = await provide({ name: 'Chromium', packages: ['chromium'], isThere: () => findChromium() !== undefined, tests });
  // Not every Debian-like system has it, and without it the tests take Chromium, which must be of the same version.
  const packages = ['chromium', 'chromium-headless-shell'];
  const isThere = () => findHeadlessShell() !== undefined;
  await provide({ name: 'headless Chromium', packages, isThere, tests }).catch(() => {});
  return result;
}
