// Child processes for the scripts: run one quietly, say what failed.
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, without a trailing slash. */
export const rootFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/**
 * Runs a command to its end and resolves with its exit code and everything it printed. Never rejects: a command that
 * cannot be started resolves with code 127 and the reason as output.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, live?: boolean, isPatient?: boolean }} [options]
 *   `live` also prints the output as it comes; `isPatient` leaves the processor to others.
 * @returns {Promise<{ code: number, output: string, seconds: number }>}
 */
export function run(command, args, { cwd = rootFolder, env = process.env, live = false, isPatient = false } = {}) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    // npm and pnpm are .cmd files on Windows, which only a shell can start.
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
    if (isPatient && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    let output = '';
    /** @param {NodeJS.WriteStream} target */
    const collect = (target) => (/** @type {Buffer} */ chunk) => {
      output += chunk;
      if (live) target.write(chunk);
    };
    child.stdout.on('data', collect(process.stdout));
    child.stderr.on('data', collect(process.stderr));
    /** @param {number} code */
    const end = (code) => resolve({ code, output, seconds: (performance.now() - startedAt) / 1000 });
    child.on('error', (error) => {
      output += `${command}: ${error.message}\n`;
      end(127);
    });
    child.on('close', (code) => end(code ?? 1));
  });
}

/** A failure to tell in one sentence; `output` is what the failed command printed, if that explains it. */
export class StepFailed extends Error {
  /**
   * @param {string} message
   * @param {string} [output]
   */
  constructor(message, output = '') {
    super(message);
    this.name = 'StepFailed';
    this.output = output;
  }
}

/**
 * Runs a command that must succeed and resolves with its seconds.
 *
 * @param {string} title What to say when it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, isPatient?: boolean }} [options]
 */
export async function runOrFail(title, command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new StepFailed(`${title} failed (exit code ${result.code})`, result.output);
  return result;
}
