// Chromium for the browser tests: the machine's own, else Debian's where this process may install packages.
import { findChromium } from '../chromium.mjs';
import { run, runOrFail } from './run.mjs';

/** @returns {Promise<import('./report.mjs').CheckResult>} */
export async function provideChromium() {
  if (findChromium() !== undefined) return { passed: 1, failed: 0 };
  const hasAptGet = (await run('apt-get', ['--version'])).code === 0;
  if (process.getuid?.() !== 0 || !hasAptGet) {
    const reason = 'the browser tests: no Chromium on this machine, and only root on a Debian-like system can have it installed here';
    return { passed: 0, failed: 0, skipped: [reason] };
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runOrFail('apt-get update', 'apt-get', ['update', '-qq'], { env });
  await runOrFail('apt-get install chromium', 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env });
  if (findChromium() === undefined) return { passed: 0, failed: 1, output: 'apt-get installed chromium, yet there is none' };
  return { passed: 1, failed: 0 };
}
