import { RelayError } from 'agent-relay-protocol';
import { type ChildHandle, ndjsonDuplex, startProcess } from 'agent-relay-wire/node';
import { type ParrotCommand, type ParrotFrame, parseFrame, type ReadyFrame, ReadyFrameSchema } from './frames.ts';

export interface ParrotProcessOptions {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly instructions: string;
  /** Told of the process as soon as it runs. */
  readonly onStart?: (child: ChildHandle) => void;
  readonly signal?: AbortSignal;
}

/** A running Parrot that has said hello. */
export interface ParrotProcess {
  readonly child: ChildHandle;
  readonly ready: ReadyFrame;
  /** Ends when the process does; iterated once. Whoever reads slowly makes Parrot write slowly. */
  readonly frames: AsyncIterable<ParrotFrame>;
  /** Rejects with `connection_closed` after the end. */
  send(command: ParrotCommand): Promise<void>;
  /** Ends the process and whatever it started. Idempotent. */
  close(): Promise<void>;
}

/** Starts Parrot and says hello. Whatever fails, no process is left. */
export async function startParrot({ instructions, ...options }: ParrotProcessOptions): Promise<ParrotProcess> {
  const { child, ready } = await startProcess({
    ...options,
    name: 'Parrot',
    timeoutMs: 30_000,
    getReady: (started) => sayHello(started, instructions),
  });
  return { child, ...ready };
}

async function sayHello(child: ChildHandle, instructions: string): Promise<Omit<ParrotProcess, 'child'>> {
  const duplex = ndjsonDuplex<unknown, ParrotCommand>(child, { maxLineBytes: 1 << 20 });
  const incoming = duplex.incoming[Symbol.asyncIterator]();
  await duplex.send({ type: 'hello', instructions });
  const first = await incoming.next();
  const ready = ReadyFrameSchema.safeParse(first.value);
  if (!ready.success) throw new RelayError('unsupported', 'it did not say hello', { cause: ready.error });
  return { ready: ready.data, frames: framesOf(incoming), send: (command) => duplex.send(command), close: () => duplex.close() };
}

async function* framesOf(incoming: AsyncIterator<unknown>): AsyncGenerator<ParrotFrame> {
  for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) yield parseFrame(next.value);
}
