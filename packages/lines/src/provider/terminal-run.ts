import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-protocol';
import { AsyncQueue, LineDecoder, printable } from 'agent-relay-wire';
import { killProcessTree, processIdentity, underLockLimit, withoutColours } from 'agent-relay-wire/node';
import { type RunLine, stopping, type TurnRun, type TurnRunOptions } from './turn-run.ts';

/** By which what a program started is found when it is gone itself. */
const TREE_VARIABLE = 'AGENT_RELAY_PROCESS_TREE';
/** Wide, so that a program breaks no lines of its own. */
const size = { cols: 500, rows: 50 } as const;
const longestLine = 8 << 20;
const waitingLines = 8 << 20;

/**
 * Runs a program in a terminal of its own. What it prints are lines with their colours taken out; a program that paints a screen makes no sense this way.
 * @throws RelayError `provider_unavailable` when this machine has no terminals for programs.
 */
export async function runInTerminal({ name, purpose, wanted, input }: TurnRunOptions): Promise<TurnRun> {
  const { cwd, env = {}, sandbox } = wanted;
  const { spawn } = await import('@lydell/node-pty').catch((cause: unknown) => {
    throw new RelayError('provider_unavailable', `${name} needs a terminal, and there is none for programs on this system`, { cause });
  });
  const treeId = randomUUID();
  const marks = [env[TREE_VARIABLE], treeId].filter(Boolean).join(',');
  const { command, args } = await underLockLimit(wanted, treeId);
  const terminal = spawn(command, [...args], {
    ...size,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, [TREE_VARIABLE]: marks },
    name: 'xterm',
  });
  const queue = new AsyncQueue<RunLine>({ limit: waitingLines, overflow: 'drop-oldest' });
  const decoder = new LineDecoder({ maxLineBytes: longestLine });
  const take = (lines: readonly { readonly text: string }[]) => {
    for (const { text } of lines) queue.push({ stream: 'stdout', text: printable(withoutColours(text)) }, text.length + 1);
  };
  terminal.onData((data) => take(decoder.push(data)));
  const exited = new Promise<{ code: number | null; detail: string }>((resolve) => {
    terminal.onExit(({ exitCode, signal }) => {
      take(decoder.end());
      queue.end();
      const isKilled = signal !== undefined && signal !== 0;
      resolve({
        code: isKilled ? null : exitCode,
        detail: `${name} ${isKilled ? `was ended by signal ${signal}` : `exited with code ${exitCode}`}`,
      });
    });
  });
  const { startedAt = '' } = (await processIdentity(terminal.pid)) ?? {};
  const identity = { pid: terminal.pid, startedAt, treeId };
  if (input !== null) terminal.write(`${input}\r\u0004`);
  return {
    owned: { pid: terminal.pid, startToken: startedAt, treeId, purpose, ...(sandbox === undefined ? {} : { sandbox }) },
    lines: queue,
    ended: exited.then(async (end) => {
      await killProcessTree({ identity }, { graceMs: 1_000 }).catch(() => {});
      return end;
    }),
    stop: async () => void (await killProcessTree({ identity }, stopping)),
  };
}
