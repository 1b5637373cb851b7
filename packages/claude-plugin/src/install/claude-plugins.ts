import { execFile } from 'node:child_process';
import { RelayError } from 'agent-relay-protocol';
import { findExecutable, withoutColours } from 'agent-relay-wire/node';

export interface ClaudePluginsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The program; default: `claude` on PATH. */
  readonly command?: string | undefined;
}

export interface ClaudeOutcome {
  readonly ok: boolean;
  readonly output: string;
}

const LIMIT_MS = 120_000;

/** `claude plugin …` of the installed Claude Code. */
export class ClaudePlugins {
  readonly #path: string;
  readonly #env: ClaudePluginsOptions['env'];

  private constructor(path: string, env: ClaudePluginsOptions['env']) {
    this.#path = path;
    this.#env = env;
  }

  /** @throws RelayError `unsupported` without a Claude Code. */
  static async find({ env, command = 'claude' }: ClaudePluginsOptions): Promise<ClaudePlugins> {
    const path = await findExecutable(command, { env });
    if (path !== undefined) return new ClaudePlugins(path, env);
    throw new RelayError('unsupported', `There is no ${command} on the PATH: install it with npm install -g @anthropic-ai/claude-code`);
  }

  /** What it answers, whatever that is. */
  run(...args: readonly string[]): Promise<ClaudeOutcome> {
    return new Promise((resolve) => {
      execFile(this.#path, ['plugin', ...args], { env: this.#env, timeout: LIMIT_MS }, (error, stdout, stderr) => {
        resolve({ ok: error === null, output: withoutColours(`${stdout}${stderr}`).trim() });
      });
    });
  }

  /** @throws RelayError `unsupported` with what it said. */
  async must(...args: readonly string[]): Promise<void> {
    const { ok, output } = await this.run(...args);
    if (!ok) throw new RelayError('unsupported', `claude plugin ${args.join(' ')} failed: ${output}`);
  }
}
