import { settlesWithin } from 'agent-relay-wire';
import { type ChildHandle, howItEnded, lastWords, type ProcessExit } from 'agent-relay-wire/node';
import type { OwnedProcess } from '../contract.ts';
import type { EndOfSession } from '../session-events.ts';

/** A process of ours as the host writes it down, for `StartOptions.onProcess`. */
export function ownedProcess(
  { identity: { pid, startedAt, treeId }, sandbox }: Pick<ChildHandle, 'identity' | 'sandbox'>,
  about: Pick<OwnedProcess, 'purpose' | 'shared'>,
): OwnedProcess {
  return {
    pid,
    startToken: startedAt,
    ...(treeId === undefined ? {} : { treeId }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...about,
  };
}

/** How a program of this name ended, and its last words, in a sentence; without an exit it only closed its output. */
export function exitDetail(child: Pick<ChildHandle, 'stderrTail' | 'stderrQuietMs'>, name: string, exit: ProcessExit | undefined): string {
  const words = lastWords(child);
  const what = exit ? `${name} ${howItEnded(exit)}` : `${name} closed its output`;
  return words === '' ? what : `${what}: ${words}`;
}

/**
 * Why a session ended whose process nobody asked to end: how it exited, and its last words. Ends first what the process left running. One that
 * only closed its output is given `waitMs` to exit, and counts as crashed. Never rejects.
 */
export async function processEnd(child: ChildHandle, name: string, waitMs = 5_000): Promise<EndOfSession> {
  const exit = (await settlesWithin(child.exited, waitMs)) ? await child.exited : undefined;
  // Whoever closes the session hears of what cannot be ended; that the process is gone is told all the same.
  await child.kill({ graceMs: 1_000 }).catch(() => {});
  const detail = exitDetail(child, name, exit);
  if (!exit) return { reason: 'crashed', detail };
  const { code } = exit;
  return { reason: code === 0 ? 'exited' : 'crashed', detail, ...(code === null ? {} : { exitCode: code }) };
}
