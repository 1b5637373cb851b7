// The sum of all checks: a line for each as it ends, and the last line that people and machines read.

/**
 * @typedef {object} CheckResult
 * @property {number} passed
 * @property {number} failed
 * @property {readonly string[]} [skipped] What was not tried, each with its reason.
 * @property {string} [output] Printed when something failed.
 */

export class Report {
  #passed = 0;
  #failed = 0;
  /** @type {string[]} */
  #skipped = [];
  /** @type {string[]} */
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
  add(title, { passed, failed, skipped = [], output = '' }, seconds) {
    this.#passed += passed;
    this.#failed += failed;
    for (const name of skipped) this.#skipped.push(`${title}: ${name}`);
    if (failed > 0) {
      this.#failures.push(title);
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
      result = { passed: 0, failed: 1, output: output === '' ? stack : `${output}\n${message}` };
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
    if (this.#failures.length > 0) this.#print(`\nfailed: ${this.#failures.join(', ')}`);
    const skipped = this.#skipped.length > 0 ? `, ${this.#skipped.length} skipped` : '';
    this.#print(`\n${this.#passed} passed, ${this.#failed} failed${skipped}`);
    return this.#failed > 0 ? 1 : 0;
  }
}
