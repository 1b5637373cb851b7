// What the tests need of the machine: its own, else Debian's package where this process may install packages.
import { run, runOrFail } from './run.mjs';

/**
 * @param {{ name: string, packages: string[], isThere: () => boolean | Promise<boolean>, tests: string }} wanted `tests`: which are skipped without it.
 * @returns {Promise<import('./report.mjs').CheckResult>}
 */
export async function provide({ name, packages, isThere, tests }) {
  if (await isThere()) return { passed: 1, failed: 0 };
  const hasAptGet = (await run('apt-get', ['--version'])).code === 0;
  if (process.getuid?.() !== 0 || !hasAptGet) {
    const reason = `${tests}: no ${name} on this machine, and only root on a Debian-like system can have it installed here`;
    return { passed: 0, failed: 0, skipped: [reason] };
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runOrFail('apt-get update', 'apt-get', ['update', '-qq'], { env });
  await runOrFail(`apt-get install ${packages.join(' ')}`, 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    env,
  });
  if (!(await isThere())) return { passed: 0, failed: 1, output: `apt-get installed ${packages.join(' ')}, yet there is no ${name}` };
  return { passed: 1, failed: 0 };
}
