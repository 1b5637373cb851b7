import type { OwnedProcess } from 'agent-relay-provider';
import { exitDetail, ownedProcess } from 'agent-relay-provider/kit';
import { LineDecoder, printable } from 'agent-relay-wire';
import { type SpawnProcessOptions, spawnProcess } from 'agent-relay-wire/node';

/** One run of a program, for one turn. */
export interface TurnRun {
  readonly owned: OwnedProcess;
  /** What it prints, as it comes; ends with its output. */
  readonly lines: AsyncIterable<RunLine>;
  /** How it ended. Never rejects. */
  readonly ended: Promise<{ readonly code: number | null; readonly detail: string }>;
  /** Asks it to stop as a person at a terminal would, then ends it with all it started. */
  stop(): Promise<void>;
}

export interface RunLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface TurnRunOptions {
  readonly name: string;
  readonly purpose: string;
  readonly wanted: SpawnProcessOptions;
  /** Written to its input, which ends then; null where the prompt is on its command line. */
  readonly input: string | null;
}

const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGKILL'];
export const stopping = { signals: stopSignals, graceMs: 2_000 } as const;
const longestLine = 8 << 20;

/** Runs a program on pipes. @throws what `spawnProcess` throws. */
export async function runOnPipes({ name, purpose, wanted, input }: TurnRunOptions): Promise<TurnRun> {
  const child = await spawnProcess({ ...wanted, stdin: input === null ? 'ignore' : 'pipe' });
  if (input !== null) child.stdin.end(input);
  const ended = child.exited.then(async (exit) => {
    // What it left running would go on in the folder of the next turn.
    await child.kill({ graceMs: 1_000 }).catch(() => {});
    return { code: exit.code, detail: exitDetail(child, name, exit) };
  });
  return {
    owned: ownedProcess(child, { purpose }),
    lines: linesOf(child.stdout),
    ended,
    stop: async () => void (await child.kill(stopping)),
  };
}

async function* linesOf(output: AsyncIterable<Uint8Array | string>): AsyncGenerator<RunLine> {
  const decoder = new LineDecoder({ maxLineBytes: longestLine });
  const said = (text: string): RunLine => ({ stream: 'stdout', text: printable(text) });
  try {
    for await (const piece of output) for (const { text } of decoder.push(piece)) yield said(text);
  } catch {
    // How its output broke off is told by how it ended.
  }
  for (const { text } of decoder.end()) yield said(text);
}
