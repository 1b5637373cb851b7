import { decodeNdjson } from 'agent-relay-wire';
import { type ChildHandle, type SpawnProcessOptions, spawnProcess } from 'agent-relay-wire/node';
import { type ExecTurnOptions, execArguments } from './exec-command.ts';

export interface ExecOptions extends ExecTurnOptions {
  /** The program. */
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly prompt: string;
  /** Puts the process into the sandbox of its session, where that has one. */
  readonly confine: (outside: SpawnProcessOptions) => Promise<SpawnProcessOptions>;
  /** Told of the process as soon as it runs. */
  readonly onProcess?: (child: ChildHandle) => void;
}

/** A prompt in a process of its own. Who started it ends it. */
export interface ExecRun {
  readonly child: ChildHandle;
  /** What it prints, in order, as JSON; ends with the process. Iterate once. */
  readonly lines: AsyncIterable<unknown>;
}

/** Starts `codex exec --json` for one prompt. @throws what `spawnProcess`, `confine` and `onProcess` throw; then no process is left. */
export async function runExec({ command, env, prompt, confine, onProcess, ...turn }: ExecOptions): Promise<ExecRun> {
  const child = await spawnProcess(await confine({ command, args: execArguments(turn), cwd: turn.cwd, env }));
  try {
    onProcess?.(child);
  } catch (error) {
    await child.kill();
    throw error;
  }
  child.stdin.end(prompt);
  return { child, lines: jsonLines(child) };
}

/** Anything else that it prints is for people. */
async function* jsonLines({ stdout }: ChildHandle): AsyncGenerator<unknown, void> {
  for await (const line of decodeNdjson(stdout)) if ('message' in line) yield line.message;
}
