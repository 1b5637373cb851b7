import type { RelayClient } from 'agent-relay-client';
import { useRef, useState } from 'react';
import { useRelay } from './use-connection.ts';

/** Something a person asks of the relay, and how it stands. */
export interface Command<Input, Output> {
  readonly run: (input: Input) => void;
  readonly isPending: boolean;
  readonly error: unknown;
  /** What the last one answered; undefined while one is on its way. */
  readonly output: Output | undefined;
  /** Forgets what came of it, and of one on its way. */
  readonly reset: () => void;
}

type Standing<Output> = Pick<Command<unknown, Output>, 'isPending' | 'error' | 'output'>;

const idle = { isPending: false, error: null, output: undefined } as const;

/** A command. `onDone` is called when it was done, whatever is in sight by then; the log brings the page up to date by itself. */
export function useCommand<Output, Input = void>(
  ask: (relay: RelayClient, input: Input) => Promise<Output>,
  onDone?: (output: Output) => void,
): Command<Input, Output> {
  const relay = useRelay();
  const latest = useRef(0);
  const [standing, setStanding] = useState<Standing<Output>>(idle);
  const begin = (next: Standing<Output>) => {
    latest.current += 1;
    setStanding(next);
    return latest.current;
  };
  const run = async (input: Input) => {
    const number = begin({ ...idle, isPending: true });
    const show = (next: Standing<Output>) => number === latest.current && setStanding(next);
    try {
      const output = await ask(relay, input);
      onDone?.(output);
      show({ ...idle, output });
    } catch (error) {
      show({ ...idle, error });
    }
  };
  return { ...standing, run: (input) => void run(input), reset: () => void begin(idle) };
}
