// bubblewrap for the tests of sandboxes. Whether it may make one here they see themselves.
import { provide } from './debian-install.mjs';
import { run } from './run.mjs';

/** @returns {Promise<import('./report.mjs').CheckResult>} */
export async function provideBubblewrap() {
  if (process.platform !== 'linux') return { passed: 0, failed: 0, skipped: ['the tests of bubblewrap: it is for Linux'] };
  const isThere = async () => (await run('bwrap', ['--version'])).code === 0;
  return provide({ name: 'bubblewrap', packages: ['bubblewrap'], isThere, tests: 'the tests of sandboxes' });
}
