// Every check of the repository, and the two rounds that are made of them.
import { join } from 'node:path';
import { agentsFolder, missingAgentClis } from '../agent-clis.mjs';
import { checkPackages } from '../check-packages.mjs';
import { findChromium } from '../chromium.mjs';
import { provideBubblewrap } from './bubblewrap-install.mjs';
import { provideChromium } from './chromium-install.mjs';
import { installLocked } from './npm-folder.mjs';
import { Report } from './report.mjs';
import { rootFolder, run } from './run.mjs';
import { provideTmux } from './tmux-install.mjs';
import { buildWorkspace, installWorkspace, prepareToolchain } from './toolchain.mjs';
import { runVitest } from './vitest.mjs';

/** @typedef {import('./toolchain.mjs').Toolchain} Toolchain */
/** @typedef {import('./report.mjs').CheckResult} CheckResult */

/** @param {string} name */
const bin = (name) => join(rootFolder, 'node_modules', '.bin', name);

/**
 * @param {Toolchain} toolchain
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<CheckResult>}
 */
async function commandCheck({ env }, command, args) {
  const { code, output } = await run(command, args, { env });
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, output };
}

/**
 * @param {Toolchain} toolchain
 * @param {Report} report
 */
async function lint(toolchain, report) {
  await report.check('format and lint (biome)', () => commandCheck(toolchain, bin('biome'), ['ci', '--colors=off', '--error-on-warnings']));
  // Every file once, by the nearest tsconfig.json. What Node runs has one for all: each would read again what it imports of the others.
  const args = ['--type-aware', '--type-check', '--deny-warnings'];
  // It lives for one round: collecting its garbage less often is a tenth of its work less.
  const patient = { ...toolchain, env: { ...toolchain.env, GOGC: '400' } };
  await report.check('types and promises (oxlint)', () => commandCheck(patient, bin('oxlint'), args));
}

/** Those of Vitest's projects that use what was built; in which order they take their turns, each by itself, its configuration says. */
const endToEndProjects = ['e2e', 'e2e-long', 'e2e-alone'];
const otherProjects = endToEndProjects.map((name) => `!${name}`);

// Tests beside the sources open neither socket nor process; those in test/ may start real CLIs.
const quickTests = ['src/', 'test/architecture', 'test/scripts', 'wire-lock'];

/**
 * The quick round: types, lint, format, the tests beside the sources, the architecture and the wire lock.
 *
 * @param {Toolchain} toolchain
 */
export async function runCheck(toolchain) {
  const report = new Report();
  await lint(toolchain, report);
  await report.check('tests', () => runVitest(toolchain, { name: 'quick', projects: otherProjects, args: quickTests }));
  return report.finish();
}

/** @returns {Promise<CheckResult>} */
async function installAgentClis() {
  await installLocked(agentsFolder, { title: 'Installing the pinned agent CLIs' });
  const missing = missingAgentClis().map((name) => `${name}: npm has none for ${process.platform} ${process.arch}`);
  return { passed: 1, failed: 0, skipped: missing };
}

/** @param {Report} report */
async function provideSurroundings(report) {
  await report.check('agent CLIs', installAgentClis);
  await report.check('Chromium', provideChromium);
  await report.check('bubblewrap', provideBubblewrap);
  await report.check('tmux', provideTmux);
}

/**
 * The whole round. A step that others stand on (install, build) fails what stands on it; everything else still runs.
 *
 * @param {import('./toolchain.mjs').Tell} tell
 */
export async function runEverything(tell) {
  const report = new Report();
  // The tests of the vendor packages and of e2e use these; they wait for a network, and the build uses the processor.
  const surroundings = provideSurroundings(report);
  /** @type {Toolchain | undefined} */
  let toolchain;
  const isInstalled = await report.check('install', async () => {
    toolchain = await prepareToolchain(tell);
    await installWorkspace(toolchain, tell);
    return { passed: 1, failed: 0 };
  });
  if (toolchain === undefined || !isInstalled) {
    await surroundings;
    return report.finish();
  }
  const tools = toolchain;
  const build = report.check('build', async () => {
    await buildWorkspace(tools, tell, ['build', 'types']);
    return { passed: 1, failed: 0 };
  });
  const [isBuilt] = await Promise.all([build, surroundings]);

  // Where the browser tests find their browser.
  const chromium = findChromium();
  const env = chromium === undefined ? tools.env : { ...tools.env, AGENT_RELAY_TEST_CHROMIUM: chromium };
  const endToEnd = () => runVitest({ ...tools, env }, { name: 'e2e', projects: endToEndProjects, live: true });
  const sources = async () => {
    await lint(tools, report);
    await report.check('tests', () => runVitest(tools, { name: 'unit', projects: otherProjects }));
  };
  await Promise.all([sources(), isBuilt ? checkPackages(tools, report) : undefined]);
  if (isBuilt) await report.check('end-to-end tests', endToEnd);
  else report.add('packed packages and end-to-end tests', { passed: 0, failed: 1, output: 'They need the build, which failed.' });
  return report.finish();
}
