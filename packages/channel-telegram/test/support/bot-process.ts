import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** `agent-relay-channel-telegram` as a process of its own. */
export class BotProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  output = '';

  constructor(env: Readonly<Record<string, string>>, args: readonly string[] = []) {
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    this.#child = spawn(process.execPath, ['--conditions=agent-relay-source', cli, ...args], {
      env: { PATH, NODE_COMPILE_CACHE, ...env },
      stdio,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Resolves with its exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.exited;
  }
}
