import type { ChildHandle } from 'agent-relay-wire/node';

/** What a program had printed when it was over, and the code it exited with; null when a signal ended it. */
export interface Printed {
  readonly printed: string;
  readonly code: number | null;
}

const GRACE_MS = 500;

/**
 * Reads what a program prints that runs to its end: all of it is kept, so for programs whose answer is short. Whoever waits no more ends it with the
 * signal, and is answered what there was by then. It and all that it started are gone when this settles.
 */
export async function printedBy(child: Pick<ChildHandle, 'stdout' | 'exited' | 'kill'>, signal: AbortSignal): Promise<Printed> {
  const end = () => void child.kill({ graceMs: GRACE_MS });
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    let printed = '';
    for await (const chunk of child.stdout) printed += String(chunk);
    const { code } = await child.exited;
    return { printed, code };
  } finally {
    signal.removeEventListener('abort', end);
    // A program that closes its output and stays, or ignores what it is asked; or left somebody behind.
    await child.kill({ graceMs: GRACE_MS });
  }
}
