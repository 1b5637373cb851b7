import { fillText, HOOK_OUTPUT_LENGTH, type HookAction, type HookFields, type HookResult, RelayError } from 'agent-relay-protocol';
import { aborted, settlesWithin } from 'agent-relay-wire';
import { type ChildHandle, spawnProcess, withoutColours } from 'agent-relay-wire/node';
import { fieldVariables, hasPlaceholder, hookShellLine } from './shell-line.ts';

export type CommandResult = Pick<HookResult, 'outcome' | 'exitCode' | 'output' | 'detail'>;

export interface CommandPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the command reads on its standard input: everything, as JSON. */
  readonly stdin: string;
  readonly signal: AbortSignal;
}

/** What it started may hold its output open for longer than it lives. */
const LAST_OUTPUT_MS = 500;

/** Runs a command with its whole tree until it ends, its time is over, or the signal aborts. Never rejects. */
export async function runHookCommand(
  { command, timeout }: Pick<Extract<HookAction, { type: 'command' }>, 'command' | 'timeout'>,
  fields: HookFields,
  { cwd, env, stdin, signal }: CommandPlace,
): Promise<CommandResult> {
  try {
    const child = await spawnProcess({ ...programOf(command, fields), cwd, env: { ...env, ...fieldVariables(fields) } });
    const tail = new OutputTail(child);
    child.stdin.end(stdin);
    const isOver = Promise.race([child.exited, aborted(signal)]);
    if (!(await settlesWithin(isOver, timeout)) || !child.hasExited) {
      await child.kill();
      await settlesWithin(tail.ended, LAST_OUTPUT_MS);
      const detail = signal.aborted ? 'It was ended with its machine' : `It was ended after ${timeout / 1000} s`;
      return { outcome: 'timed_out', output: tail.text, detail };
    }
    const { code, signal: by } = await child.exited;
    await settlesWithin(tail.ended, LAST_OUTPUT_MS);
    if (code === null) return { outcome: 'failed', output: tail.text, detail: `It was ended by ${by ?? 'the system'}` };
    return { outcome: code === 0 ? 'succeeded' : 'failed', exitCode: code, output: tail.text };
  } catch (error) {
    const detail = error instanceof RelayError ? error.message : 'It could not be started';
    return { outcome: 'failed', detail: detail.slice(0, 1000) };
  }
}

/** @throws RelayError `unsupported` for a line whose shell would read what a field says. */
function programOf(
  command: string | readonly string[],
  fields: HookFields,
): { readonly command: string; readonly args: readonly string[] } {
  if (typeof command !== 'string') {
    // Each word stays one word, whatever is in it.
    const [program = '', ...args] = command.map((word) => fillText(word, fields));
    return { command: program, args };
  }
  if (process.platform !== 'win32') return { command: '/bin/sh', args: ['-c', hookShellLine(command, fields)] };
  if (hasPlaceholder(command, fields))
    throw new RelayError('unsupported', 'A shell of Windows would read what stands for a placeholder: say the command as a list of words');
  return { command: 'cmd.exe', args: ['/d', '/s', '/c', command] };
}

/** The end of what a process writes to both of its outputs, in the order it comes. */
class OutputTail {
  readonly ended: Promise<unknown>;
  #text = '';

  constructor(child: Pick<ChildHandle, 'stdout' | 'stderr'>) {
    this.ended = Promise.all([this.#read(child.stdout), this.#read(child.stderr)]);
  }

  get text(): string {
    return withoutColours(this.#text).slice(-HOOK_OUTPUT_LENGTH);
  }

  async #read(stream: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stream) this.#text = (this.#text + decoder.decode(chunk, { stream: true })).slice(-4 * HOOK_OUTPUT_LENGTH);
    } catch {
      // A broken pipe ends the output.
    }
  }
}
