import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

/** A program in a terminal of its own, as a person has it before them. */
export interface Terminal extends AsyncDisposable {
  /** Types text as it is, without Enter. */
  type(text: string): Promise<void>;
  /** Types a line, and presses Enter once its beginning is on the screen. */
  say(line: string): Promise<void>;
  /** Presses keys by tmux's names: `Enter`, `C-c`. */
  press(...keys: readonly string[]): Promise<void>;
  screen(): Promise<string>;
  /** Waits until this is on the screen, and answers the screen. */
  shows(text: string | RegExp): Promise<string>;
  /** The process of the program. */
  pid(): Promise<number>;
  /** The exit code, once the program has ended. */
  exitCode(): Promise<number>;
}

/** Whether there is a tmux to make one with. */
export const hasTerminals = await run('tmux', ['-V']).then(
  () => true,
  () => false,
);

/** Has Claude Code draw nothing that only moves, which is half of what it costs while it works: 1.5 s of processor in 10 s, and with this 0.7. */
export const withoutMotion: readonly string[] = ['--settings', '{"prefersReducedMotion":true}'];

let count = 0;

export async function openTerminal(
  command: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Terminal> {
  count += 1;
  const socket = `agent-relay-${process.pid}-${count}`;
  const tmux = async (...args: readonly string[]) => (await run('tmux', ['-L', socket, '-f', '/dev/null', ...args])).stdout;
  const variables = Object.entries({ ...env, TERM: 'xterm-256color' }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  await tmux('new-session', '-d', '-x', '140', '-y', '45', '-c', cwd, 'cat');
  await tmux('set-option', '-g', 'remain-on-exit', 'on');
  await tmux('respawn-pane', '-k', '-c', cwd, 'env', '-i', ...variables, ...command);
  const screen = () => tmux('capture-pane', '-p');
  const type = async (text: string) => void (await tmux('send-keys', '-l', text));
  const press = async (...keys: readonly string[]) => void (await tmux('send-keys', ...keys));
  const shows = async (text: string | RegExp) => {
    let last = '';
    const isThere = async () => {
      last = await screen();
      return typeof text === 'string' ? last.includes(text) : text.test(last);
    };
    await until(`${text} on the screen`, isThere).catch((error: unknown) => {
      throw new Error(`${String(error)}; it shows:\n${last}`, { cause: error });
    });
    return last;
  };
  return {
    type,
    say: async (line) => {
      await type(line);
      await shows(line.slice(0, 40));
      await press('Enter');
    },
    press,
    screen,
    shows,
    pid: async () => Number(await tmux('display-message', '-p', '#{pane_pid}')),
    exitCode: () =>
      until('the end of the program', async () => {
        const [dead, status] = (await tmux('display-message', '-p', '#{pane_dead} #{pane_dead_status}')).trim().split(' ');
        if (dead !== '1') return false;
        if (status !== undefined) return { code: Number(status) };
        // tmux 3.3 may miss that a child has ended (it stays a zombie) until another one does.
        await tmux('run-shell', 'true');
        return false;
      }).then(({ code }) => code),
    [Symbol.asyncDispose]: async () => void (await tmux('kill-server').catch(() => '')),
  };
}
