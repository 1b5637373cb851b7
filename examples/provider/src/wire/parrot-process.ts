import { RelayError } from 'agent-relay-protocol';
import { withTimeout } from 'agent-relay-wire';
import { type ChildHandle, ndjsonDuplex, type ProcessExit, spawnProcess } from 'agent-relay-wire/node';
import { type ParrotCommand, type ParrotFrame, parseFrame, type ReadyFrame, ReadyFrameSchema } from './frames.ts';

export interface ParrotProcessOptions {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly instructions: string;
  /** Called as soon as the process runs. */
  readonly onSpawn: (child: ChildHandle) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A running Parrot that has said hello. */
export interface ParrotProcess {
  readonly ready: ReadyFrame;
  /** Ends when the process does; iterated once. Whoever reads slowly makes Parrot write slowly. */
  readonly frames: AsyncIterable<ParrotFrame>;
  readonly hasExited: boolean;
  /** Rejects with `connection_closed` after the end. */
  send(command: ParrotCommand): Promise<void>;
  /** Ends the process and whatever it started. Idempotent. */
  close(): Promise<void>;
  /** How it ended, once it has. */
  readonly exited: Promise<ProcessExit & { readonly lastWords: string }>;
}

const startTimeoutMs = 30_000;

/** Starts Parrot and says hello. Whatever fails, no process is left. */
export async function startParrot({ command, cwd, env, instructions, onSpawn, signal }: ParrotProcessOptions): Promise<ParrotProcess> {
  signal?.throwIfAborted();
  const child = await spawnProcess({ command, cwd, env });
  const onAbort = () => void child.kill();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    onSpawn(child);
    signal?.throwIfAborted();
    const duplex = ndjsonDuplex<unknown, ParrotCommand>(child, { maxLineBytes: 1 << 20 });
    const incoming = duplex.incoming[Symbol.asyncIterator]();
    await duplex.send({ type: 'hello', instructions });
    const first = await withTimeout(() => incoming.next(), startTimeoutMs, { what: "Parrot's answer" });
    const ready = ReadyFrameSchema.safeParse(first.value);
    if (!ready.success)
      throw new RelayError('provider_unavailable', `Parrot did not start: ${child.stderrTail.trim() || 'it gave no reason'}`);
    return {
      ready: ready.data,
      frames: framesOf(incoming),
      get hasExited() {
        return child.hasExited;
      },
      send: (frame) => duplex.send(frame),
      close: () => duplex.close(),
      exited: child.exited.then((exit) => ({ ...exit, lastWords: child.stderrTail.trim() })),
    };
  } catch (error) {
    await child.kill();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function* framesOf(incoming: AsyncIterator<unknown>): AsyncGenerator<ParrotFrame> {
  for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) yield parseFrame(next.value);
}

/** What `parrot --version` says; undefined when it says none. */
export async function parrotVersion(command: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const child = await spawnProcess({ command, args: ['--version'], env, stdin: 'ignore' });
  try {
    let said = '';
    await withTimeout(
      async () => {
        for await (const chunk of child.stdout) said += String(chunk);
      },
      startTimeoutMs,
      { what: 'answer of parrot --version' },
    );
    return /\d+\.\d+\.\d+/u.exec(said)?.[0];
  } finally {
    await child.kill();
  }
}
