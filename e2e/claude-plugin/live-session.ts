import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RelayClient } from 'agent-relay-client';
import type { TempHome } from 'agent-relay-testing';
import { until } from '../support/until.ts';

const run = promisify(execFile);

/** The plugin as a checkout has it, built. */
export const pluginFolder = fileURLToPath(new URL('../../packages/claude-plugin', import.meta.url));

export const hasTmux = await run('tmux', ['-V']).then(
  () => true,
  () => false,
);

export interface LiveSessionOptions {
  readonly home: TempHome;
  readonly claude: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Claude Code at a terminal that nobody sits at. */
export class LiveSession implements AsyncDisposable {
  static #count = 0;
  readonly #tmux: readonly string[];

  private constructor(tmux: readonly string[]) {
    this.#tmux = tmux;
  }

  static async start({ home, claude, cwd, env, args = ['--plugin-dir', pluginFolder] }: LiveSessionOptions): Promise<LiveSession> {
    LiveSession.#count += 1;
    const tmux = ['-S', `${home.directory}/tmux-${LiveSession.#count}`];
    const whole = { ...home.env(), ...env, TERM: 'xterm-256color' };
    const words = Object.entries(whole).map(([name, value]) => `${name}=${value}`);
    const size = ['-x', '150', '-y', '50'];
    await run('tmux', [...tmux, 'new-session', '-d', ...size, '-c', cwd, 'env', '-i', ...words, claude, ...args], { env: whole });
    return new LiveSession(tmux);
  }

  async screen(): Promise<string> {
    return (await run('tmux', [...this.#tmux, 'capture-pane', '-p'])).stdout;
  }

  /** Types a line, as a person does. */
  async say(line: string): Promise<void> {
    await run('tmux', [...this.#tmux, 'send-keys', '-l', line]);
    await until(`${line} on the screen`, async () => (await this.screen()).includes(line.slice(0, 40)), 10_000);
    await this.press('Enter');
  }

  async press(key: string): Promise<void> {
    await run('tmux', [...this.#tmux, 'send-keys', key]);
  }

  /** Waits for words; says what is there when they do not come. */
  async shows(words: string | RegExp, timeoutMs = 30_000): Promise<string> {
    let screen = '';
    try {
      return await until(
        String(words),
        async () => {
          screen = await this.screen();
          return (typeof words === 'string' ? screen.includes(words) : words.test(screen)) && screen;
        },
        timeoutMs,
      );
    } catch (cause) {
      throw new Error(`${String(cause)}; the screen says:\n${screen}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('tmux', [...this.#tmux, 'kill-server']).catch(() => {});
  }
}

/** The agent of the session in that folder, once it is there. */
export const agentIn = (relay: RelayClient, cwd: string) =>
  until(`the agent of ${cwd}`, async () =>
    (await relay.agents.list()).data.find((agent) => agent.meta['cwd'] === cwd && agent.status !== 'offline'),
  );
