// The sum of all checks: a line for each as it ends, and the last line that people and machines read.

/**
 * @typedef {object} Failure
 * @property {string} name Which test, with its file.
 * @property {string} error The most telling line first.
 *
 * @typedef {object} CheckResult
 * @property {number} passed
 * @property {number} failed
 * @property {readonly string[]} [skipped] What was not tried, each with its reason.
 * @property {readonly Failure[]} [failures] Default: the check itself, with its output.
 * @property {string} [output] Printed when something failed.
 */

// What keeps only the end of the output keeps these lines.
const listLines = 60;
const errorLines = 6;
const lineWidth = 240;

/**
 * Every failure by its name, and as much of each error as leaves room for the others; no more than sixty lines.
 *
 * @param {readonly Failure[]} failures
 */
function listFailures(failures) {
  const named = failures.length > listLines ? failures.slice(0, listLines - 1) : failures;
  const perError = Math.min(errorLines, Math.floor(listLines / named.length) - 1);
  const lines = named.flatMap(({ name, error }) => {
    const told = error.split('\n').filter((line) => line.trim() !== '');
    return [`  ${name.replaceAll(/\s+/gu, ' ')}`, ...told.slice(0, perError).map((line) => `      ${line.trimEnd()}`)];
  });
  if (named.length < failures.length) lines.push(`  and ${failures.length - named.length} more`);
  return lines.map((line) => (line.length > lineWidth ? `${line.slice(0, lineWidth - 1)}…` : line)).join('\n');
}

export class Report {
  #passed = 0;
  #failed = 0;
  /** @type {string[]} */
  #skipped = [];
  /** @type {Failure[]} */
  #failures = [];
  #print;
  #mayBeSkipped;

  /** @param {{ print?: (text: string) => void, mayBeSkipped?: boolean }} [options] In CI nothing may be skipped. */
  constructor({ print = console.log, mayBeSkipped = process.env['CI'] !== 'true' } = {}) {
    this.#print = print;
    this.#mayBeSkipped = mayBeSkipped;
  }

  /** Whether every check named so far passed. */
  get isGreen() {
    return this.#failed === 0;
  }

  /**
   * @param {string} title
   * @param {CheckResult} result
   * @param {number} [seconds]
   */
  add(title, { passed, failed, skipped = [], failures = [], output = '' }, seconds) {
    this.#passed += passed;
    this.#failed += failed;
    for (const name of skipped) this.#skipped.push(`${title}: ${name}`);
    if (failed > 0) {
      this.#failures.push(...(failures.length > 0 ? failures : [{ name: title, error: output }]));
      this.#print(`\n──── ${title} ────\n${output.trimEnd()}\n`);
    }
    const counts = passed + failed + skipped.length === 1 ? '' : ` ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}`;
    const time = seconds === undefined ? '' : ` (${seconds.toFixed(1)} s)`;
    this.#print(`${failed > 0 ? 'FAILED ' : 'ok     '}${title}${counts && `:${counts}`}${time}`);
  }

  /**
   * Runs one check and adds its result; an exception is a failure of that check and nothing else.
   *
   * @param {string} title
   * @param {() => Promise<CheckResult>} check
   */
  async check(title, check) {
    const startedAt = performance.now();
    /** @type {CheckResult} */
    let result;
    try {
      result = await check();
    } catch (error) {
      const { output = '', message = String(error), stack = '' } = /** @type {Partial<import('./run.mjs').StepFailed>} */ (error);
      const failures = [{ name: title, error: output === '' ? stack : `${message}\n${output}` }];
      result = { passed: 0, failed: 1, failures, output: output === '' ? stack : `${output}\n${message}` };
    }
    this.add(title, result, (performance.now() - startedAt) / 1000);
    return result.failed === 0;
  }

  /** Prints what was skipped and what failed, then the sum as the last line; returns the exit code. */
  finish() {
    if (!this.#mayBeSkipped && this.#skipped.length > 0) {
      this.add('in CI nothing is skipped', { passed: 0, failed: 1, output: this.#skipped.join('\n') });
    }
    if (this.#skipped.length > 0) this.#print(`\nskipped:\n${this.#skipped.map((name) => `  ${name}`).join('\n')}`);
    if (this.#failures.length > 0) this.#print(`\nfailed:\n${listFailures(this.#failures)}`);
    const skipped = this.#skipped.length > 0 ? `, ${this.#skipped.length} skipped` : '';
    this.#print(`\n${this.#passed} passed, ${this.#failed} failed${skipped}`);
    return this.#failed > 0 ? 1 : 0;
  }
}
