// Runs Vitest and counts by its JSON report, so that a file that could not be loaded counts as a failure too.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { rootFolder, run } from './run.mjs';

/**
 * @typedef {object} VitestReport
 * @property {readonly TestFile[]} testResults
 *
 * @typedef {object} TestFile
 * @property {string} name
 * @property {string} status
 * @property {string} [message] Why it could not be loaded.
 * @property {readonly { fullName: string, status: string, failureMessages?: readonly string[] | null }[]} assertionResults
 */

/**
 * An error without the frames of other people's code.
 *
 * @param {string} text
 */
function ownLines(text) {
  const lines = stripVTControlCharacters(text).replaceAll(`${rootFolder}/`, '').split('\n');
  return lines.filter((line) => !/^\s+at .*(?:node_modules|node:|<anonymous>)/u.test(line)).join('\n');
}

/**
 * What Vitest prints of errors outside any test; its JSON report has nothing of them.
 *
 * @param {string} output
 */
function outsideTests(output) {
  const text = stripVTControlCharacters(output);
  const start = text.search(/Unhandled (?:Errors?|Rejections?)/u);
  return start < 0
    ? text.trimEnd().split('\n').slice(-6).join('\n')
    : text.slice(start).replaceAll(/^(?:[⎯\s]+|Vitest caught .*|This might cause .*)$/gmu, '');
}

/**
 * The counts in a report of Vitest's JSON reporter.
 *
 * @param {string} text
 * @returns {import('./report.mjs').CheckResult & { failures: readonly import('./report.mjs').Failure[] }}
 */
export function countTests(text) {
  /** @type {VitestReport} */
  const report = JSON.parse(text);
  let passed = 0;
  /** @type {string[]} */
  const skipped = [];
  /** @type {import('./report.mjs').Failure[]} */
  const failures = [];
  for (const file of report.testResults) {
    const name = relative(rootFolder, file.name);
    const failedBefore = failures.length;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status !== 'failed') skipped.push(test.fullName);
      else failures.push({ name: `${name} > ${test.fullName}`, error: ownLines(test.failureMessages?.[0] ?? '') });
    }
    if (file.status === 'failed' && failures.length === failedBefore) failures.push({ name, error: ownLines(file.message ?? '') });
  }
  return { passed, failed: failures.length, skipped, failures };
}

/**
 * Runs the Vitest projects that the filters name (`sources`, `!e2e`); resolves with the counts.
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
    return { passed: 0, failed: 1, failures: [{ name: `${name}: no report`, error: outsideTests(output) }], output };
  }
  const counts = countTests(text);
  // An unhandled error outside any test fails the run without failing a test.
  const isOutside = code !== 0 && counts.failed === 0;
  const failures = isOutside ? [{ name: `${name}: an error outside any test`, error: outsideTests(output) }] : counts.failures;
  return { ...counts, failed: failures.length, failures, output: live ? 'see above' : output };
}
