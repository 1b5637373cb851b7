// Runs Vitest and counts by its JSON report, so that a file that could not be loaded counts as a failure too.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rootFolder, run } from './run.mjs';

/**
 * @typedef {object} VitestReport
 * @property {readonly { name: string, status: string, assertionResults: readonly { fullName: string, status: string }[] }[]} testResults
 */

/**
 * The counts in a report of Vitest's JSON reporter.
 *
 * @param {string} text
 * @returns {import('./report.mjs').CheckResult}
 */
export function countTests(text) {
  /** @type {VitestReport} */
  const report = JSON.parse(text);
  let passed = 0;
  let failed = 0;
  /** @type {string[]} */
  const skipped = [];
  for (const file of report.testResults) {
    const failedBefore = failed;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failed += 1;
      else skipped.push(test.fullName);
    }
    if (file.status === 'failed' && failed === failedBefore) failed += 1;
  }
  return { passed, failed, skipped };
}

/**
 * Runs the Vitest projects that the filters name (`server`, `!e2e`); resolves with the counts.
 *
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {{ name: string, projects: readonly string[], live?: boolean, args?: readonly string[] }} options
 * @returns {Promise<import('./report.mjs').CheckResult>}
 */
export async function runVitest({ env }, { name, projects, live = false, args: extra = [] }) {
  const folder = join(rootFolder, 'node_modules', '.cache', 'agent-relay');
  mkdirSync(folder, { recursive: true });
  const reportFile = join(folder, `vitest-${name}.json`);
  rmSync(reportFile, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...extra];
  for (const project of projects) args.push('--project', project);
  const { code, output } = await run(join(rootFolder, 'node_modules', '.bin', 'vitest'), args, { env, live });
  /** @type {string | undefined} */
  let text;
  try {
    text = readFileSync(reportFile, 'utf8');
  } catch {
    return { passed: 0, failed: 1, output };
  }
  const counts = countTests(text);
  // An unhandled error outside any test fails the run without failing a test.
  const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
  return { ...counts, failed, output: live ? 'see above' : output };
}
