import { setTimeout as pause } from 'node:timers/promises';
import type { RelayClient } from 'agent-relay-client';

/** Whoever waits asks again after so long, or after a tenth of the time that it has waited: each question costs the processor on both sides. */
const SOONEST_MS = 50;
const LATEST_MS = 250;

/** Asks until the answer is there; says what it was waiting for when it never comes. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | null | undefined | false> | Value | null | undefined | false,
  timeoutMs = 60_000,
): Promise<Value> {
  const startedAt = Date.now();
  for (;;) {
    const value = await ask();
    if (value !== null && value !== undefined && value !== false) return value;
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > timeoutMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await pause(Math.min(Math.max(SOONEST_MS, waitedMs / 10), LATEST_MS));
  }
}

/** Waits for a machine of the relay: a command that is started until one is there costs more each time than all the rest of the wait. */
export const untilMachine = (client: Pick<RelayClient, 'nodes'>): Promise<boolean> =>
  until('a machine', async () => (await client.nodes.list()).data.some(({ status }) => status === 'online'));

/** Asks until it is no longer refused; says with what it was refused last when it always is. */
export async function untilGranted<Value>(what: string, ask: () => Promise<Value>, timeoutMs = 60_000): Promise<Value> {
  let refusal: unknown;
  const attempt = () =>
    ask().then(
      (value) => ({ value }),
      (error: unknown) => {
        refusal = error;
        return null;
      },
    );
  try {
    return (await until(what, attempt, timeoutMs)).value;
  } catch (cause) {
    throw new Error(`${String(cause)}, refused with: ${String(refusal)}`, { cause });
  }
}
